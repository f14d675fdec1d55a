// Runs a snippet in a kernel: mlopsSnippet(code: 'print(1)', kernel: 'python3'). Nothing is judged.
def call(Map options = [:]) {
  mlopsCall('snippet', options)
}
