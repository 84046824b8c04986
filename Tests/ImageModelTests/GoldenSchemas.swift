import WireJSON

/// The schema documents of the Image API v2 as they are promised to clients, without their free descriptions. `UUID`
/// stands for the pattern of UUIDs, and `IMAGE`, `MEMBER` and `ROW` for the schema of one record.
enum GoldenSchemas {
    /// With the nine properties that the stock operator file declares.
    static let image = #"""
        {
          "name": "image",
          "properties": {
            "id": {"type": "string", "pattern": "UUID"},
            "name": {"type": ["null", "string"], "maxLength": 255},
            "status": {
              "type": "string",
              "readOnly": true,
              "enum": [
                "queued", "saving", "active", "killed", "deleted", "uploading", "importing",
                "pending_delete", "deactivated"
              ]
            },
            "visibility": {"type": "string", "enum": ["community", "public", "private", "shared"]},
            "protected": {"type": "boolean"},
            "os_hidden": {"type": "boolean"},
            "checksum": {"type": ["null", "string"], "readOnly": true, "maxLength": 32},
            "os_hash_algo": {"type": ["null", "string"], "readOnly": true, "maxLength": 64},
            "os_hash_value": {"type": ["null", "string"], "readOnly": true, "maxLength": 128},
            "owner": {"type": ["null", "string"], "maxLength": 255},
            "size": {"type": ["null", "integer"], "readOnly": true},
            "virtual_size": {"type": ["null", "integer"], "readOnly": true},
            "container_format": {
              "type": ["null", "string"],
              "enum": [null, "ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed"]
            },
            "disk_format": {
              "type": ["null", "string"],
              "enum": [
                null, "ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso",
                "ploop"
              ]
            },
            "created_at": {"type": "string", "readOnly": true},
            "updated_at": {"type": "string", "readOnly": true},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 255}},
            "direct_url": {"type": "string", "readOnly": true},
            "min_ram": {"type": "integer"},
            "min_disk": {"type": "integer"},
            "self": {"type": "string", "readOnly": true},
            "file": {"type": "string", "readOnly": true},
            "stores": {"type": "string", "readOnly": true},
            "schema": {"type": "string", "readOnly": true},
            "locations": {
              "type": "array",
              "items": {
                "type": "object",
                "properties": {
                  "url": {"type": "string", "maxLength": 255},
                  "metadata": {"type": "object"},
                  "validation_data": {
                    "type": "object",
                    "writeOnly": true,
                    "additionalProperties": false,
                    "properties": {
                      "checksum": {
                        "type": "string",
                        "minLength": 32,
                        "maxLength": 32
                      },
                      "os_hash_algo": {
                        "type": "string",
                        "maxLength": 64
                      },
                      "os_hash_value": {
                        "type": "string",
                        "maxLength": 128
                      }
                    },
                    "required": [
                      "os_hash_algo",
                      "os_hash_value"
                    ]
                  }
                },
                "required": ["url", "metadata"]
              }
            },
            "kernel_id": {"type": ["null", "string"], "pattern": "UUID", "is_base": false},
            "ramdisk_id": {"type": ["null", "string"], "pattern": "UUID", "is_base": false},
            "instance_uuid": {"type": "string", "is_base": false},
            "architecture": {"type": "string", "is_base": false},
            "os_distro": {"type": "string", "is_base": false},
            "os_version": {"type": "string", "is_base": false},
            "description": {"type": "string", "is_base": false},
            "cinder_encryption_key_id": {"type": "string", "is_base": false},
            "cinder_encryption_key_deletion_policy": {
              "type": "string",
              "enum": ["on_image_deletion", "do_not_delete"],
              "is_base": false
            }
          },
          "additionalProperties": {"type": "string"},
          "links": [
            {"rel": "self", "href": "{self}"}, {"rel": "enclosure", "href": "{file}"},
            {"rel": "describedby", "href": "{schema}"}
          ]
        }
        """#

    /// A page of images.
    static let images = #"""
        {
          "name": "images",
          "properties": {
            "images": {"type": "array", "items": "IMAGE"},
            "first": {"type": "string"},
            "next": {"type": "string"},
            "schema": {"type": "string"}
          },
          "links": [
            {"rel": "first", "href": "{first}"}, {"rel": "next", "href": "{next}"},
            {"rel": "describedby", "href": "{schema}"}
          ]
        }
        """#

    /// One membership.
    static let member = #"""
        {
          "name": "member",
          "properties": {
            "member_id": {"type": "string"},
            "image_id": {"type": "string", "pattern": "UUID"},
            "created_at": {"type": "string"},
            "updated_at": {"type": "string"},
            "status": {"type": "string", "enum": ["pending", "accepted", "rejected"]},
            "schema": {"readOnly": true, "type": "string"}
          }
        }
        """#

    /// The memberships of an image.
    static let members = #"""
        {
          "name": "members",
          "properties": {
            "members": {"type": "array", "items": "MEMBER"},
            "schema": {"type": "string"}
          },
          "links": [{"rel": "describedby", "href": "{schema}"}]
        }
        """#

    /// One task.
    static let task = #"""
        {
          "name": "task",
          "properties": {
            "id": {"pattern": "UUID", "type": "string"},
            "type": {"enum": ["import", "api_image_import", "location_import"], "type": "string"},
            "status": {"enum": ["pending", "processing", "success", "failure"], "type": "string"},
            "input": {"type": ["null", "object"]},
            "result": {"type": ["null", "object"]},
            "owner": {"type": "string"},
            "message": {"type": "string"},
            "image_id": {"type": "string"},
            "request_id": {"type": "string"},
            "user_id": {"type": "string"},
            "expires_at": {"type": ["null", "string"]},
            "created_at": {"type": "string"},
            "updated_at": {"type": "string"},
            "self": {"readOnly": true, "type": "string"},
            "schema": {"readOnly": true, "type": "string"}
          }
        }
        """#

    /// A page of tasks; its rows are tasks without `input`, `result` and `message`.
    static let tasks = #"""
        {
          "name": "tasks",
          "properties": {
            "tasks": {"type": "array", "items": "ROW"},
            "schema": {"type": "string"}
          },
          "links": [{"rel": "describedby", "href": "{schema}"}]
        }
        """#

    /// Reads a golden document, with the names of records replaced.
    static func document(_ text: String, _ records: [String: JSONValue] = [:]) throws -> JSONValue {
        var replacements = records
        replacements["UUID"] = .string(
            "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$"
        )
        return try JSONValue(parsing: Array(text.utf8)).replacing(replacements)
    }
}

extension JSONValue {
    fileprivate func replacing(_ replacements: [String: JSONValue]) -> JSONValue {
        switch self {
        case .string(let text): return replacements[text] ?? self
        case .array(let elements): return .array(elements.map { $0.replacing(replacements) })
        case .object(var object):
            for (name, value) in object.members { object[name] = value.replacing(replacements) }
            return .object(object)
        default: return self
        }
    }

    /// Without the texts that describe, which are free.
    var undescribed: JSONValue {
        switch self {
        case .array(let elements): return .array(elements.map(\.undescribed))
        case .object(var object):
            if object["description"]?.stringValue != nil { object["description"] = nil }
            for (name, value) in object.members { object[name] = value.undescribed }
            return .object(object)
        default: return self
        }
    }
}
