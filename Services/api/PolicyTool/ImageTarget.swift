import ImageModel
import PolicyLanguage
import WireJSON

/// An image as the API shows it, as the rules see it (Glance, "Policy targets").
struct ImageTarget: PolicyTargetValues {
    private var values: [String: String] = [:]

    /// - Parameter image: `nil` for one that is yet to be made by the caller.
    init(_ image: JSONObject?, caller: Caller) {
        for (name, value) in image?.members ?? [] where name != "locations" { values[name] = value.policyText }
        let owner = image == nil ? caller.project : image?["owner"]?.stringValue
        values["owner"] = owner ?? "None"
        values["project_id"] = owner ?? "None"
        values["visibility"] = image?["visibility"]?.stringValue ?? "private"
        guard image != nil else { return }
        values["image_id"] = values["id"]
        let isGuest = values["visibility"] == "shared" && owner != caller.project
        values["member_id"] = isGuest ? caller.project ?? "None" : "None"
    }

    func text(of key: String) -> String? { values[key] }
}
