// Assembles the manifest again from the files of a run: mlopsManifest(outputDir: 'mlops-out')
def call(Map options = [:]) {
  mlopsCall('manifest', options)
}
