// Plays Jenkins for the shared library: the steps `sh`, `withEnv`, `junit` and `archiveArtifacts` are really done.
// Usage: groovy harness.groovy VARS_FOLDER SCRIPT; the script calls the library as a Jenkinsfile would.
def vars = new File(args[0])
def shell = new GroovyShell(this.class.classLoader)
def environment = [:]
def kept = []
def library = [:]

def steps = [
  sh: { String script ->
    def process = new ProcessBuilder('sh', '-c', script).redirectErrorStream(true)
    process.environment().putAll(environment)
    def running = process.start()
    running.inputStream.eachLine { println "sh> ${it}" }
    if (running.waitFor() != 0) throw new RuntimeException("script returned exit code ${running.exitValue()}")
  },
  withEnv: { List<String> pairs, Closure body ->
    def before = new LinkedHashMap(environment)
    pairs.each { def (name, value) = it.split('=', 2); environment[name] = value }
    try { body() } finally { environment.clear(); environment.putAll(before) }
  },
  junit: { Map options -> kept << "junit ${options.testResults} ${new File(options.testResults).exists()}" },
  sarif: { Map options -> options.pattern as String },
  recordIssues: { Map options -> kept << "issues ${options.tools[0]} ${new File(options.tools[0]).exists()}" },
  archiveArtifacts: { Map options -> kept << "archive ${options.artifacts} ${options.fingerprint}" },
]

def call = { String name, Object given ->
  def values = given as Object[]
  if (library.containsKey(name)) return library[name].invokeMethod('call', values)
  if (steps.containsKey(name)) return steps[name].call(*values)
  throw new MissingMethodException(name, Script, values)
}
vars.eachFileMatch(~/.*\.groovy/) { file ->
  def script = shell.parse(file)
  script.metaClass.methodMissing = { String name, given -> call(name, given) }
  library[file.name - '.groovy'] = script
}
def job = shell.parse(new File(args[1]))
job.metaClass.methodMissing = { String name, given -> call(name, given) }
try {
  job.run()
  println 'job> SUCCESS'
} catch (RuntimeException error) {
  println "job> FAILURE: ${error.message}"
}
kept.each { println "kept> ${it}" }
