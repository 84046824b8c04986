import ImageModel
import Testing

@Suite("Image ids")
struct ImageIDTests {
    @Test("an id keeps the case in which it was given")
    func caseKept() {
        let upper = ImageID("5C1F6A0E-7D61-4C2F-9A35-0D2B6A7F9E11")
        #expect(upper?.description == "5C1F6A0E-7D61-4C2F-9A35-0D2B6A7F9E11")
        #expect(upper != ImageID("5c1f6a0e-7d61-4c2f-9a35-0d2b6a7f9e11"))
    }

    @Test(
        "what is no UUID is no id",
        arguments: [
            "", "x", "5c1f6a0e7d614c2f9a350d2b6a7f9e11", "5c1f6a0e-7d61-4c2f-9a35-0d2b6a7f9e1",
            "5c1f6a0e-7d61-4c2f-9a35-0d2b6a7f9e111", "5c1f6a0e-7d61-4c2f-9a35-0d2b6a7f9e1g",
            "5c1f6a0e-7d61-4c2f-9a350-d2b6a7f9e11", "../../../../../../../../../../etc/pass",
            "{5c1f6a0e-7d61-4c2f-9a35-0d2b6a7f9e}",
            "5c1f6a0e-7d61-4c2f-9a35-0d2b6a7f9e1\u{FF11}",
        ]
    )
    func malformed(text: String) {
        #expect(ImageID(text) == nil)
    }
}
