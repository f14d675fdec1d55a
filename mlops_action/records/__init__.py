"""What flows from stage to stage. Each record is also a JSON document with a schema.

Specs come from ``config/model.py``; from there on: ``Plan`` → ``RunResult`` → ``Verdicts``
→ ``Manifest``. Fields carry their doc as metadata, from which the schemas are made.
"""

from mlops_action.records.base import FileState as FileState
from mlops_action.records.base import Json as Json
from mlops_action.records.base import Number as Number
from mlops_action.records.base import documented as documented
from mlops_action.records.emission import Annotation as Annotation
from mlops_action.records.emission import Emissions as Emissions
from mlops_action.records.evidence import Evidence as Evidence
from mlops_action.records.evidence import Part as Part
from mlops_action.records.guard import GuardReport as GuardReport
from mlops_action.records.manifest import Fact as Fact
from mlops_action.records.manifest import Manifest as Manifest
from mlops_action.records.manifest import Uncaptured as Uncaptured
from mlops_action.records.plan import CellSelection as CellSelection
from mlops_action.records.plan import Comparison as Comparison
from mlops_action.records.plan import KernelChoice as KernelChoice
from mlops_action.records.plan import Plan as Plan
from mlops_action.records.plan import PlannedGate as PlannedGate
from mlops_action.records.plan import PlannedParameter as PlannedParameter
from mlops_action.records.plan import PlannedStep as PlannedStep
from mlops_action.records.plan import Retry as Retry
from mlops_action.records.plan import Smallest as Smallest
from mlops_action.records.plan import StepLimits as StepLimits
from mlops_action.records.predictions import PlannedPredictions as PlannedPredictions
from mlops_action.records.run import CellResult as CellResult
from mlops_action.records.run import Difference as Difference
from mlops_action.records.run import Failure as Failure
from mlops_action.records.run import MetricReading as MetricReading
from mlops_action.records.run import Repetition as Repetition
from mlops_action.records.run import RunResult as RunResult
from mlops_action.records.run import StepResult as StepResult
from mlops_action.records.run import Unsteady as Unsteady
from mlops_action.records.verdict import BaselineIdentity as BaselineIdentity
from mlops_action.records.verdict import Verdict as Verdict
from mlops_action.records.verdict import Verdicts as Verdicts
from mlops_action.records.waiver import Waiver as Waiver
from mlops_action.records.waiver import WaiverUse as WaiverUse
