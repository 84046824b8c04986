internal import ImageModel

/// Rows that an index finds and that name images, as `d`: all that pass one filter, and perhaps some more.
struct ImageRows {
    /// A table or a subquery, called `d`.
    var source: SQLCondition
    /// Over `d`: what the index finds them by.
    var condition: SQLCondition
    /// Which of the list's filters leads to them, by its place.
    var filter: Int?
    /// Over `d`: with it, their images are exactly those that pass, and the filter itself need not be asked.
    var exactly: SQLCondition?
    /// Whether the index has them in the order of `image_created_at, image_id`.
    var areInOrderOfCreation = false
    /// Whether they are images themselves, which a walk over images finds by the same index.
    var areImages = false

    private init(_ source: SQLCondition, _ condition: SQLCondition) {
        self.source = source
        self.condition = condition
    }

    private init(_ table: String, _ condition: SQLCondition) {
        self.init(SQLCondition("\(table) d"), condition)
    }

    /// What is shared with a project.
    init(sharedWith project: String, _ status: MemberStatusFilter) {
        self.init(
            "image_members",
            SQLCondition("d.member = ? AND d.status = ?", [.text(project), .text(status.rawValue)])
        )
        areInOrderOfCreation = true
    }

    private init(tagged tag: LeadingTag, _ condition: SQLCondition) {
        var tagged = SQLCondition("d.value = ?", [.text(tag.value)])
        tagged.add(condition)
        self.init("image_tags", tagged)
        filter = tag.place
        exactly = SQLCondition("1 = 1")
        areInOrderOfCreation = true
    }

    /// What has a tag and is a project's.
    init(tagged tag: LeadingTag, ownedBy project: String) {
        self.init(tagged: tag, SQLCondition("d.owner = ?", [.text(project)]))
    }

    /// What has a tag and is open in one way.
    init(tagged tag: LeadingTag, open visibility: Visibility, _ dialect: SQLDialect) {
        self.init(tagged: tag, .open("d", visibility, dialect))
    }

    /// The rows among which are those of all images that pass; `nil` where no index leads to these.
    init?(_ filter: ImageFilter, _ dialect: SQLDialect) {
        switch filter {
        case .tag(let tag):
            self.init("image_tags", SQLCondition("d.value = ?", [.text(tag)]))
            exactly = SQLCondition("1 = 1")
            areInOrderOfCreation = true
        case .property(let name, let value):
            self.init(property: name, equals: value)
        case .text(.name, let names): self.init(images: .equals("d.sort_name", anyOf: names.map(SQLValue.text)))
        case .text(.id, let ids): self.init(images: .equals("d.id", anyOf: ids.map(SQLValue.text)))
        case .condition(let condition): self.init(condition, dialect)
        case .text, .integer, .bound, .time, .protected, .nothing: return nil
        }
    }

    private init(property name: String, equals value: String) {
        self.init(property: name, values: [value])
        exactly = SQLCondition("d.value = ?", [.text(value)])
        areInOrderOfCreation = true
    }

    private init(images condition: SQLCondition) {
        var live = SQLCondition("d.deleted_at IS NULL")
        live.add(condition)
        self.init("images", live)
        areImages = true
    }

    private init?(_ condition: ImageCondition, _ dialect: SQLDialect) {
        switch (condition.subject, condition.test) {
        case (.text(.name), .prefix(let prefix)):
            self.init(images: .begins("d.sort_name", with: prefix, dialect))
        case (.tag, .anyOf(let tags)):
            self.init(tags: .equals("t.value", anyOf: tags.map(SQLValue.text)))
        case (.tag, .prefix(let prefix)):
            self.init(tags: .begins("t.value", with: prefix, dialect))
        case (.property(let name), .anyOf(let values)) where values.count == 1:
            self.init(property: name, equals: values[0])
        case (.property(let name), .anyOf(let values)):
            self.init(property: name, values: values)
        // SQLite cuts a text at a NUL.
        case (.property(let name), .prefix(let prefix)) where !prefix.unicodeScalars.contains("\0"):
            self.init(property: name, .begins("d.value_prefix", with: prefix, dialect))
        case (.property(let name), .order), (.property(let name), .exists(true)):
            self.init(property: name, SQLCondition("d.value_prefix IS NOT NULL"))
        case (.property, _), (.tag, _), (.text, _), (.integer, _): return nil
        }
    }

    /// An image may have several of the tags, and is met once.
    private init(tags condition: SQLCondition) {
        self.init(
            SQLCondition(
                "(SELECT DISTINCT t.image_id FROM image_tags t WHERE \(condition.sql)) d",
                condition.values
            ),
            SQLCondition("1 = 1")
        )
    }

    private init(property name: String, values: [String]) {
        let texts = values.map(SQLValue.text)
        self.init(property: name, .equals("d.value_prefix", anyOf: texts, place: SQLCondition.prefixPlace))
    }

    private init(property name: String, _ condition: SQLCondition) {
        var named = SQLCondition("d.name = ?", [.text(name)])
        named.add(condition)
        self.init("image_properties", named)
    }
}
