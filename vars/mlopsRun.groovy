// Runs notebooks as steps and judges the gates: mlopsRun(notebooks: ['train.ipynb'], metrics: ['metrics.json'], gates: 'gates.yaml')
// Every input of the action may be given, in camelCase; values reach the tool as variables, never as shell text.
def call(Map options = [:]) {
  mlopsCall('run', options)
}
