extension Migration {
    /// The catalogue of metadata definitions.
    ///
    /// What belongs to a namespace is really deleted with it; resource types belong to none and stay. `id` keeps the
    /// order in which things were added. `definition`, `properties` and `required` are JSON.
    static let metadefs = Migration(number: 4, name: "metadefs", phase: .expand) { dialect in
        """
        CREATE TABLE metadef_namespaces (
            id \(dialect.autoIncrementPrimaryKey),
            namespace TEXT NOT NULL UNIQUE,
            display_name TEXT,
            description TEXT,
            visibility TEXT NOT NULL,
            protected INTEGER NOT NULL,
            owner TEXT,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            revision BIGINT NOT NULL
        );
        CREATE INDEX metadef_namespaces_by_creation ON metadef_namespaces (created_at, id);
        CREATE TABLE metadef_properties (
            id \(dialect.autoIncrementPrimaryKey),
            namespace_id BIGINT NOT NULL REFERENCES metadef_namespaces (id),
            name TEXT NOT NULL,
            definition TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            UNIQUE (namespace_id, name)
        );
        CREATE TABLE metadef_objects (
            id \(dialect.autoIncrementPrimaryKey),
            namespace_id BIGINT NOT NULL REFERENCES metadef_namespaces (id),
            name TEXT NOT NULL,
            description TEXT,
            required TEXT NOT NULL,
            properties TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            UNIQUE (namespace_id, name)
        );
        CREATE TABLE metadef_tags (
            id \(dialect.autoIncrementPrimaryKey),
            namespace_id BIGINT NOT NULL REFERENCES metadef_namespaces (id),
            name TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            UNIQUE (namespace_id, name)
        );
        CREATE TABLE metadef_resource_types (
            id \(dialect.autoIncrementPrimaryKey),
            name TEXT NOT NULL UNIQUE,
            protected INTEGER NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL
        );
        CREATE TABLE metadef_associations (
            id \(dialect.autoIncrementPrimaryKey),
            namespace_id BIGINT NOT NULL REFERENCES metadef_namespaces (id),
            resource_type_id BIGINT NOT NULL REFERENCES metadef_resource_types (id),
            prefix TEXT,
            properties_target TEXT,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            UNIQUE (namespace_id, resource_type_id)
        );
        CREATE INDEX metadef_associations_by_type ON metadef_associations (resource_type_id, namespace_id);
        """
    }
}
