"""Jupyter's kernels for Zeppelin's interpreters, where the project says nothing else."""

KERNEL_OF = {
    **dict.fromkeys(
        (
            "python",
            "python.python",
            "python.ipython",
            "ipython",
            "pyspark",
            "ipyspark",
            "spark.pyspark",
            "spark.ipyspark",
            "livy.pyspark",
            "flink.pyflink",
            "flink.ipyflink",
        ),
        "python3",
    ),
    **dict.fromkeys(("r", "r.r", "r.ir", "ir", "sparkr", "spark.r", "spark.ir", "spark.sparkr", "livy.sparkr"), "ir"),
    **dict.fromkeys(("sh", "sh.sh", "sh.terminal", "shell"), "bash"),
    **dict.fromkeys(("spark", "spark.spark", "spark.scala", "scala", "livy.spark"), "scala"),
    **dict.fromkeys(("node", "javascript", "js"), "javascript"),
}
"""A kernel of the same language. Spark's session is not in it: the code has to make its own."""
