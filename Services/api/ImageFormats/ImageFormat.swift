/// A format that the bytes themselves tell of; the names are those of `disk_format`, and of the reference inspector.
public enum ImageFormat: String, Sendable, CaseIterable {
    case qcow2, qed, vhd, vhdx, vmdk, vdi, iso, gpt, luks, ploop
    /// Nothing recognized.
    case raw
}
