// Runs a snippet in a kernel: mlopsSnippet(code: 'print(1)', kernel: 'python3'). Nothing is judged unless gates are given.
def call(Map options = [:]) {
  mlopsCall('run', [gates: 'none'] + options)
}
