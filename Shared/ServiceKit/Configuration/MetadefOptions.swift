/// Where the catalogue of metadata definitions comes from, for the tool that loads it.
public enum MetadefOptions {
    public static let sourcePath = ConfigurationOption.string(
        "DEFAULT",
        "metadata_source_path",
        default: "/etc/glance/metadefs/",
        help: "Directory of the files that 'glance-manage db load_metadefs' loads and 'export_metadefs' writes."
    )
}
