// What mlopsRun, mlopsSnippet, mlopsGate and mlopsManifest share.
// `tool` is the command (default: mlops-action on PATH); `keep: false` leaves the results where they are; `issues: true` shows the
// findings as well, by the plugin warnings-ng.
def call(String command, Map options) {
  def given = options.findAll { !(it.key in ['tool', 'keep', 'issues']) }
  def variables = given.collect { "INPUT_${inputName(it.key)}=${inputText(it.value)}" as String }
  def folder = options.outputDir ?: 'mlops-out'
  try {
    withEnv(variables) {
      sh "${options.tool ?: 'mlops-action'} inputs ${command}"
    }
  } finally {
    if (options.keep != false && command != 'manifest') {
      junit testResults: "${folder}/junit.xml", allowEmptyResults: true
      archiveArtifacts artifacts: "${folder}/**", fingerprint: true, allowEmptyArchive: true
      if (options.issues) {
        recordIssues tools: [sarif(pattern: "${folder}/report.sarif")]
      }
    }
  }
}

// parametersFile -> PARAMETERS_FILE
def inputName(String name) {
  name.replaceAll(/([a-z])([A-Z])/, '$1_$2').toUpperCase()
}

// A list is one value a line, a map is NAME=VALUE a line.
def inputText(Object value) {
  if (value instanceof Map) {
    return value.collect { "${it.key}=${it.value}" }.join('\n')
  }
  value instanceof Collection ? value.join('\n') : value.toString()
}
