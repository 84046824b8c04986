internal import ArgumentParser

/// What can be measured, in the order in which it is: reading before what changes the size of the catalogue.
enum Workload: String, CaseIterable, Encodable {
    case show, list
    case listByName = "list-name"
    case listByTag = "list-tag"
    case listByProperty = "list-property"
    case listSorted = "list-sorted"
    case list1000
    case query
    case create, change, delete, upload, download

    var isTransfer: Bool { self == .upload || self == .download }

    /// Needs the catalogue of `--images` images.
    var readsCatalogue: Bool {
        switch self {
        case .show, .list, .listByName, .listByTag, .listByProperty, .listSorted, .list1000, .change: true
        case .query, .create, .delete, .upload, .download: false
        }
    }

    var summary: String {
        switch self {
        case .show: "show one image, each in turn"
        case .list: "list 25 images"
        case .listByName: "list by name (one image matches)"
        case .listByTag: "list 25 images by tag (a tenth matches)"
        case .listByProperty: "list 25 images by property (a tenth matches)"
        case .listSorted: "list 25 images by property, sorted by name (all match)"
        case .list1000: "list 1000 images"
        case .query: "list 25 images by --query, among those that are there"
        case .create: "create an image with 3 properties and 2 tags"
        case .change: "change a property of one image, each in turn"
        case .delete: "delete an image without data"
        case .upload: "upload image data"
        case .download: "download image data"
        }
    }
}

/// A workload, or all of them, by name.
struct WorkloadChoice: ExpressibleByArgument {
    let workloads: [Workload]

    init?(argument: String) {
        if argument == "all" {
            workloads = Workload.allCases.filter { $0 != .query }
        } else if let workload = Workload(rawValue: argument) {
            workloads = [workload]
        } else {
            return nil
        }
    }

    static var allValueStrings: [String] { Workload.allCases.map(\.rawValue) + ["all"] }
}
