// Judges metric files: mlopsGate(metrics: ['metrics.json'], gates: 'gates.yaml')
def call(Map options = [:]) {
  mlopsCall('gate', options)
}
