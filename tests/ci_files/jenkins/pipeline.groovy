// Plays Jenkins for a declarative Jenkinsfile: each directive that the examples use, and none else; steps are really done, on this machine.
// Usage: groovy pipeline.groovy VARS_FOLDER JENKINSFILE [NAME=VALUE...] (variables of the build, such as BRANCH_NAME)
class Build {
  Map environment = [:]
  Map params = [:]
  List kept = []
  Map library = [:]
  String result = 'SUCCESS'
}

// What a block may hold; anything else is an error, as in Jenkins.
class Block {
  Build build
  Map known
  String where

  def methodMissing(String name, Object given) {
    def values = (given as Object[]).collect { it instanceof GString ? it.toString() : it } as Object[]
    if (known.containsKey(name)) return known[name].call(*values)
    if (where == 'steps' && build.library.containsKey(name)) return build.library[name].invokeMethod('call', values)
    throw new MissingMethodException("${where}: ${name}", Block, values)
  }

  def propertyMissing(String name) {
    if (name in ['any', 'none'] && where != 'steps') return name
    if (name == 'params') return build.params
    if (name == 'env') return build.environment
    if (build.environment.containsKey(name)) return build.environment[name]
    throw new MissingPropertyException("${where}: ${name}", Block)
  }
}

def build = new Build()
args.drop(2).each { def (name, value) = it.split('=', 2); build.environment[name] = value }

def enter = { String where, Map known, Closure body ->
  body.delegate = new Block(build: build, known: known, where: where)
  body.resolveStrategy = Closure.DELEGATE_ONLY
  body.call()
}

def keep = { String kind, String pattern ->
  def folder = new File(pattern.replaceAll('/[*]+$', ''))
  if (!folder.exists()) throw new RuntimeException("${kind}: no ${pattern}")
  build.kept << "${kind} ${pattern}"
}

def steps = [
  sh: { String script ->
    def process = new ProcessBuilder('sh', '-xe', '-c', script).redirectErrorStream(true)
    process.environment().putAll(build.environment)
    def running = process.start()
    running.inputStream.eachLine { println "sh> ${it}" }
    if (running.waitFor() != 0) throw new RuntimeException("script returned exit code ${running.exitValue()}")
  },
  echo: { String text -> println "echo> ${text}" },
  junit: { given -> keep('junit', given instanceof Map ? given.testResults : given) },
  archiveArtifacts: { Map given ->
    keep("archive${given.fingerprint ? ' with fingerprints' : ''}", given.artifacts)
  },
  sarif: { Map given -> given.pattern as String },
  recordIssues: { Map given -> given.tools.each { keep('issues', it) } },
]
steps.withEnv = { List<String> pairs, Closure body ->
  def before = new LinkedHashMap(build.environment)
  pairs.each { def (name, value) = it.toString().split('=', 2); build.environment[name] = value }
  try { body() } finally { build.environment.clear(); build.environment.putAll(before) }
}

new File(args[0]).eachFileMatch(~/.*\.groovy/) { file ->
  def script = new GroovyShell(this.class.classLoader).parse(file)
  script.metaClass.methodMissing = { String name, given -> new Block(build: build, known: steps, where: 'steps').invokeMethod(name, given) }
  build.library[file.name - '.groovy'] = script
}

def agent = { given ->
  if (given instanceof String) return
  enter('agent', [docker: { Closure body ->
    enter('docker', [image: { String it -> println "agent> ${it}" }, label: { String it -> }, args: { String it -> }], body)
  }], given)
}
def post = { Closure body ->
  enter('post', [
    always: { Closure inner -> enter('steps', steps, inner) },
    failure: { Closure inner -> if (build.result == 'FAILURE') enter('steps', steps, inner) },
    success: { Closure inner -> if (build.result == 'SUCCESS') enter('steps', steps, inner) },
  ], body)
}

// The parts of a stage are done in Jenkins' order, wherever they stand.
def stages
def stage = { String name, Closure body ->
  def parts = [:]
  def names = ['agent', 'when', 'steps', 'post', 'matrix', 'stages']
  enter("stage ${name}".toString(), names.collectEntries { part -> [(part): { parts[part] = it }] }, body)
  if (!(parts.steps || parts.matrix || parts.stages)) throw new RuntimeException("stage ${name} does nothing")
  if (parts.agent) agent(parts.agent)
  def wanted = true
  if (parts.when) enter('when', [branch: { String it -> wanted = build.environment.BRANCH_NAME == it }], parts.when)
  if (!wanted) { println "stage> ${name} is skipped"; return }
  println "stage> ${name}"
  try {
    if (parts.steps) enter('steps', steps, parts.steps)
    if (parts.stages) stages(parts.stages)
    if (parts.matrix) {
      def axes = [], cells = null
      def axis = { Closure inner ->
        def found = [:]
        enter('axis', [name: { String it -> found.name = it }, values: { Object[] it -> found.values = it as List }], inner)
        axes << found
      }
      enter('matrix', [
        axes: { Closure inner -> enter('axes', [axis: axis], inner) }, agent: agent, stages: { cells = it },
      ], parts.matrix)
      axes.collect { found -> found.values.collect { [(found.name): it] } }.combinations().each { cell ->
        def before = new LinkedHashMap(build.environment)
        cell.each { build.environment.putAll(it) }
        try { stages(cells.clone()) } finally { build.environment.clear(); build.environment.putAll(before) }
      }
    }
  } catch (RuntimeException error) {
    build.result = 'FAILURE'
    throw error
  } finally {
    if (parts.post) post(parts.post)
  }
}
stages = { Closure body -> enter('stages', [stage: stage], body) }

def pipeline = { Closure body ->
  def parts = [:]
  def names = ['agent', 'options', 'parameters', 'triggers', 'environment', 'stages', 'post']
  enter('pipeline', names.collectEntries { part -> [(part): { parts[part] = it }] }, body)
  ['agent', 'stages'].each { if (!parts[it]) throw new RuntimeException("a pipeline needs `${it}`") }
  agent(parts.agent)
  if (parts.options) enter('options', [timeout: { Map it -> }], parts.options)
  if (parts.triggers) enter('triggers', [cron: { String it -> }], parts.triggers)
  if (parts.parameters) {
    enter('parameters', [string: { Map it -> build.params[it.name] = it.defaultValue }], parts.parameters)
    build.params.each { name, value -> build.environment.putIfAbsent(name, value) }
  }
  try { stages(parts.stages) } finally { if (parts.post) post(parts.post) }
}

def text = new File(args[1]).text.replaceAll(/(?m)^@Library\('[\w-]+'\) _$/, '')
def job = new GroovyShell(this.class.classLoader).parse(text, 'Jenkinsfile')
job.metaClass.methodMissing = { String name, given ->
  if (name != 'pipeline') throw new MissingMethodException(name, Script, given as Object[])
  pipeline(given[0])
}
try {
  job.run()
} catch (RuntimeException error) {
  build.result = 'FAILURE'
  println "job> ${error.message}"
}
println "job> ${build.result}"
build.kept.each { println "kept> ${it}" }
