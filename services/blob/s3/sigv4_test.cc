#include "services/blob/s3/sigv4.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::blob::s3 {
namespace {

// The examples of the S3 API reference: "Authenticating Requests (AWS Signature Version 4)".
const Credentials kExample = {.access_key_id = "AKIAIOSFODNN7EXAMPLE",
                              .secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                              .session_token = ""};
const SigningScope kScope = {.region = "us-east-1"};
const absl::Time kNow = absl::FromUnixSeconds(1369353600);  // 2013-05-24T00:00:00Z

std::string AuthorizationOf(const Fields& fields) {
  for (const auto& [name, value] : fields) {
    if (name == "Authorization") return value;
  }
  return "";
}

RequestToSign Get(std::string path, Fields query, Fields headers) {
  return {.method = "GET",
          .host = "examplebucket.s3.amazonaws.com",
          .path = std::move(path),
          .query = std::move(query),
          .headers = std::move(headers),
          .payload_hash = Sha256Hex("")};
}

TEST(SigV4Test, SignsAGetWithARange) {
  EXPECT_EQ(AuthorizationOf(SignHeaders(Get("/test.txt", {}, {{"Range", "bytes=0-9"}}), kExample, kScope, kNow)),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(SigV4Test, SignsAPutWithABody) {
  RequestToSign request =
      Get(EncodePath("/test$file.text"), {},
          {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}});
  request.method = "PUT";
  request.payload_hash = Sha256Hex("Welcome to Amazon S3.");
  EXPECT_THAT(AuthorizationOf(SignHeaders(request, kExample, kScope, kNow)),
              testing::EndsWith("Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"));
}

TEST(SigV4Test, SignsAQueryWithoutAValue) {
  EXPECT_THAT(AuthorizationOf(SignHeaders(Get("/", {{"lifecycle", ""}}, {}), kExample, kScope, kNow)),
              testing::EndsWith("Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
}

TEST(SigV4Test, SignsAListing) {
  EXPECT_THAT(AuthorizationOf(SignHeaders(Get("/", {{"prefix", "J"}, {"max-keys", "2"}}, {}), kExample, kScope, kNow)),
              testing::EndsWith("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST(SigV4Test, Presigns) {
  const std::string query = PresignQuery(Get("/test.txt", {}, {}), kExample, kScope, kNow, absl::Hours(24));
  EXPECT_THAT(query, testing::HasSubstr("X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3"));
  EXPECT_THAT(query,
              testing::EndsWith("&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"));
}

TEST(SigV4Test, SignsTheTokenOfTemporaryCredentials) {
  Credentials temporary = kExample;
  temporary.session_token = "token+/=";
  const Fields fields = SignHeaders(Get("/", {}, {}), temporary, kScope, kNow);
  EXPECT_THAT(fields, testing::Contains(testing::Pair("x-amz-security-token", "token+/=")));
  EXPECT_THAT(AuthorizationOf(fields), testing::HasSubstr(";x-amz-security-token,"));
}

TEST(SigV4Test, EncodesAllButUnreservedCharacters) {
  EXPECT_EQ(EncodeComponent("aZ09-._~ /+=!():@\xc3\xa9"), "aZ09-._~%20%2F%2B%3D%21%28%29%3A%40%C3%A9");
  EXPECT_EQ(EncodePath("/a b/c"), "/a%20b/c");
  EXPECT_EQ(EncodeQuery({{"uploads", ""}, {"prefix", "a/b"}}), "prefix=a%2Fb&uploads=");
}

}  // namespace
}  // namespace entrepot::blob::s3
