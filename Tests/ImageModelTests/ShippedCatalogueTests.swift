import FoundationEssentials
import ImageModel
import Testing
import WireJSON

/// `deploy/metadefs` against the names that the documentation of the services gives to what they read.
@Suite("The catalogue that is shipped")
struct ShippedCatalogueTests {
    static func files() throws -> [MetadefCatalogueFile] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let directory = root.appending(path: "deploy/metadefs")
        return try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { $0.hasSuffix(".json") }
            .map { try MetadefCatalogueFile(parsing: Array(Data(contentsOf: directory.appending(path: $0)))) }
    }

    /// Types that a property has on a resource, by its full name there.
    private func types(on resourceType: String) throws -> [String: Set<String>] {
        var types: [String: Set<String>] = [:]
        for record in try Self.files().map(\.record)
        where record.content.associations.contains(where: { $0.name == resourceType }) {
            let content = record.content.prefixed(for: resourceType)
            for property in content.properties + content.objects.flatMap(\.properties) {
                types[property.name, default: []].insert(property.definition.type ?? "")
            }
        }
        return types
    }

    /// Glance, "Useful image properties", and Nova, "Flavors"; one row a type of value.
    static let image: [(type: String, names: [String])] = [
        (
            "string",
            [
                "architecture", "hypervisor_type", "instance_uuid", "img_config_drive", "kernel_id", "ramdisk_id",
                "os_admin_user", "os_distro", "os_version", "os_secure_boot", "vm_mode", "hw_cpu_policy",
                "hw_cpu_thread_policy", "hw_cdrom_bus", "hw_disk_bus", "hw_firmware_type", "hw_mem_encryption",
                "hw_pointer_model", "hw_rng_model", "hw_machine_type", "os_type", "hw_scsi_model", "hw_video_model",
                "hw_watchdog_action", "os_command_line", "hw_vif_model", "hw_vif_multiqueue_enabled", "hw_boot_menu",
                "hw_virtio_packed_ring", "hw_mem_page_size", "hw_tpm_model", "hw_tpm_version", "hw_qemu_guest_agent",
                "hw_rescue_bus", "hw_rescue_device", "vmware_adaptertype", "vmware_ostype", "vmware_disktype",
                "cinder_img_volume_type", "img_signature", "img_signature_hash_method", "img_signature_key_type",
                "img_signature_certificate_uuid", "CIM_RASD_Limit", "CIM_RASD_Reservation", "CIM_RASD_Weight",
                "CIM_RASD_VirtualQuantity", "CIM_SASD_VirtualResourceBlockSize", "CIM_SASD_HostExtentStartingAddress",
                "sw_database_mysql_version", "sw_runtime_python_version", "sw_webserver_apache_version",
            ]
        ),
        (
            "integer",
            [
                "os_shutdown_timeout", "hw_cpu_sockets", "hw_cpu_cores", "hw_cpu_threads", "hw_cpu_max_sockets",
                "hw_serial_port_count", "hw_video_ram",
            ]
        ),
        (
            "boolean",
            [
                "hw_time_hpet", "hw_pmu", "hw_firmware_stateless", "img_hide_hypervisor_id", "img_linked_clone",
                "auto_disk_config", "hw_locked_memory",
            ]
        ),
        ("array", ["CIM_PASD_InstructionSetExtensionName"]),
    ]

    static let flavor: [(type: String, names: [String])] = [
        (
            "string",
            [
                "hw:watchdog_action", "hw:cpu_policy", "hw:cpu_thread_policy", "hw:mem_page_size", "hw:mem_encryption",
                "hw:boot_menu", "hw:tpm_model", "hw:tpm_version", "trust:trusted_host", "vmware:hw_version",
                "vmware:storage_policy", "quota:cpu_shares_level", "quota:memory_shares_level",
                "quota:disk_io_shares_level",
            ]
        ),
        (
            "integer",
            [
                "quota:cpu_shares", "quota:cpu_period", "quota:cpu_quota", "quota:disk_read_bytes_sec",
                "quota:disk_read_iops_sec", "quota:disk_write_bytes_sec", "quota:disk_write_iops_sec",
                "quota:disk_total_bytes_sec", "quota:disk_total_iops_sec", "quota:vif_inbound_average",
                "quota:vif_inbound_burst", "quota:vif_inbound_peak", "quota:vif_outbound_average",
                "quota:vif_outbound_burst", "quota:vif_outbound_peak", "quota:cpu_limit", "quota:cpu_reservation",
                "quota:memory_limit", "quota:memory_reservation", "quota:memory_shares_share", "quota:disk_io_limit",
                "quota:disk_io_reservation", "quota:disk_io_shares_share", "hw_rng:rate_bytes", "hw_rng:rate_period",
                "hw:cpu_sockets", "hw:cpu_cores", "hw:cpu_threads", "hw:cpu_max_sockets", "hw:cpu_max_cores",
                "hw:cpu_max_threads", "hw:serial_port_count", "capabilities:cpu_info:topology:cores",
            ]
        ),
        ("boolean", ["hw_rng:allowed", "hw:pmu", "hw:locked_memory"]),
        ("array", ["capabilities:cpu_info:features"]),
    ]

    static let others: [(resourceType: String, type: String, names: [String])] = [
        (
            "OS::Cinder::Volume", "string",
            ["hw_watchdog_action", "os_distro", "multiattach", "RESKEY:availability_zones"]
        ),
        ("OS::Cinder::Volume", "integer", ["hw_cpu_cores"]),
        ("OS::Nova::Server", "string", ["sw_database_mysql_version", "sw_webserver_nginx_version"]),
        ("OS::Trove::Instance", "string", ["sw_database_mysql_version"]),
        ("OS::Nova::Aggregate", "integer", ["max_io_ops_per_host", "max_instances_per_host"]),
        ("OS::Nova::Aggregate", "number", ["disk_allocation_ratio"]),
    ]

    @Test(
        "properties are called what the services call them",
        arguments: image.map { ("OS::Glance::Image", $0.type, $0.names) }
            + flavor.map { ("OS::Nova::Flavor", $0.type, $0.names) }
            + others.map { ($0.resourceType, $0.type, $0.names) }
    )
    func names(_ resourceType: String, _ type: String, _ names: [String]) throws {
        let types = try self.types(on: resourceType)
        for name in names { #expect(types[name] == [type], "\(name) on \(resourceType)") }
    }

    @Test("names of one kind of resource are not those of another")
    func strangers() throws {
        let image = try types(on: "OS::Glance::Image")
        let flavor = try types(on: "OS::Nova::Flavor")
        #expect(image.keys.filter { $0.hasPrefix("hw:") || $0.hasPrefix("quota:") || $0.hasPrefix("hw_rng:") } == [])
        #expect(flavor.keys.filter { $0.hasPrefix("hw_") && !$0.hasPrefix("hw_rng:") } == [])
    }

    @Test(
        "a choice that the services know is among them",
        arguments: [
            ("hw_vif_model", "spapr-vlan"), ("hw_vif_model", "VirtualVmxnet"), ("hypervisor_type", "powervm"),
            ("hypervisor_type", "ironic"), ("CIM_VSSD_AutomaticShutdownAction", "Save state"),
            ("hw_video_model", "none"), ("architecture", "unicore32"), ("os_distro", "sled"),
            ("hw_watchdog_action", "disabled"), ("vmware_adaptertype", "paraVirtual"),
            ("hw_vif_multiqueue_enabled", "true"), ("img_signature_hash_method", "SHA-224"),
        ]
    )
    func choices(_ name: String, _ value: String) throws {
        let contents = try Self.files().map { $0.record.content.prefixed(for: "OS::Glance::Image") }
        let definitions = contents.flatMap(\.properties).filter { $0.name == name }.map(\.definition.keywords)
        #expect(definitions.contains { $0["enum"]?.arrayValue?.contains(.string(value)) ?? false })
    }

    @Test("an image may ask for several extensions of a processor at once")
    func comparison() throws {
        let catalogue = PropertyCatalogue(try Self.files().map(\.record), of: "OS::Glance::Image")
        let name = "CIM_PASD_InstructionSetExtensionName"
        #expect(catalogue.problems(in: [name: "<all-in> x86:AES x86:AVX"]) == [])
        #expect(catalogue.problems(in: [name: "<or>"]).map(\.sentence) == ["must have an operand after <or>"])
    }

    @Test("every namespace is public but the two that are not, and every name can be reached and kept")
    func namespaces() throws {
        let files = try Self.files()
        #expect(files.count == 33)
        let secret = files.map(\.record.namespace).filter { $0.visibility == .private }.map(\.name)
        #expect(secret.sorted() == ["OS::Glance::CommonImageProperties", "OS::OperatingSystem"])
        for file in files {
            let content = file.record.content
            let names =
                [file.record.namespace.name] + content.associations.map(\.name) + content.properties.map(\.name)
                + content.objects.flatMap { [$0.name] + $0.properties.map(\.name) } + content.tags.map(\.name)
            for name in names { #expect(!name.contains("/") && name.count <= 80, "\(name)") }
        }
    }
}
