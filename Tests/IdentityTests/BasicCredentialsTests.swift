import Testing

@testable import Identity

@Suite("Basic credentials")
struct BasicCredentialsTests {
    @Test("name and password are split at the first colon")
    func split() throws {
        let example = try #require(BasicCredentials(authorization: "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="))
        #expect(example.user == "Aladdin")
        #expect(example.password == Array("open sesame".utf8))
        // "test:123£", the example of RFC 7617 for UTF-8.
        let euro = try #require(BasicCredentials(authorization: "basic  dGVzdDoxMjPCow=="))
        #expect(euro.password == Array("123£".utf8))
        // "a:b:c"
        #expect(BasicCredentials(authorization: "BASIC YTpiOmM=")?.password == Array("b:c".utf8))
        // "a:"
        #expect(BasicCredentials(authorization: "Basic YTo=")?.password == [])
    }

    @Test(
        "what is malformed is nobody",
        arguments: [
            "", "Basic", "Basic ", "Bearer YTpi", "BasicYTpi", "Basic YTpi, Basic YTpi", "Basic YWI=", "Basic OmI=",
            "Basic YTp", "Basic Y===", "Basic YT=i", "Basic YTpi====", "Basic _-pi", "Basic /zpi", "Basic YTpiAGM=",
            "Basic YQA6Yg==",
        ]
    )
    func malformed(authorization: String) {
        #expect(BasicCredentials(authorization: authorization) == nil)
    }
}
