import ImageModel
import Logging
import ServiceKit

/// `schema-image.json`: the properties that an operator declares beside the fields of an image.
enum SchemaFile {
    /// Reads the file where Glance looks for it (``ConfigurationFiles/companion(_:)``). Without one, what packagers ship
    /// is declared.
    ///
    /// - Throws: a sentence that names the file and the property.
    static func declaredProperties(
        beside files: ConfigurationFiles,
        logger: Logger
    ) throws(ConfigurationError) -> DeclaredProperties {
        guard let path = files.companion("schema-image.json") else { return .stock }
        let bytes = try WholeFile.bytes(of: path)
        do throws(DeclaredProperties.FileError) {
            let declared = try DeclaredProperties(schemaFile: bytes)
            logger.info(
                "The declared properties are read",
                metadata: ["file": "\(path)", "count": "\(declared.properties.count)"]
            )
            return declared
        } catch {
            throw ConfigurationError("\(path): \(error)")
        }
    }
}
