#include "services/core/media_type.h"

#include <string>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

std::string Parsed(absl::string_view text) {
  const auto type = MediaType::Parse(text);
  return type.ok() ? type->ToString() : std::string(type.status().message());
}

TEST(MediaTypeTest, AcceptsMediaTypesOfManifests) {
  for (const char* text :
       {"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.layer.v1.tar+zstd", "text/plain", "a/b", "1/2", "x/A!#$&-^_.+z"}) {
    EXPECT_EQ(Parsed(text), text);
  }
}

TEST(MediaTypeTest, HeaderMayHaveParametersAndBlanks) {
  for (const char* value :
       {"application/json", "application/json; charset=utf-8", "  application/json\t;a=\"b;c\"", "application/json;"}) {
    const auto type = MediaType::ParseHeader(value);
    ASSERT_OK(type) << value;
    EXPECT_EQ(type->ToString(), "application/json") << value;
  }
  for (const char* value : {"", ";", " ", "json; a/b", "application/json\n", "\r\napplication/json", "a/b c"}) {
    EXPECT_THAT(MediaType::ParseHeader(value), IsOciError(OciErrorCode::kManifestInvalid)) << value;
  }
}

TEST(MediaTypeTest, NamesMayHave127Bytes) {
  const std::string longest(127, 'x');
  EXPECT_OK(MediaType::Parse(longest + "/" + longest));
  EXPECT_THAT(MediaType::Parse(longest + "x/y"), IsOciError(OciErrorCode::kManifestInvalid));
  EXPECT_THAT(MediaType::Parse("x/" + longest + "y"), IsOciError(OciErrorCode::kManifestInvalid));
}

TEST(MediaTypeTest, RefusesEverythingElse) {
  for (absl::string_view text :
       {"",     "/",        "a",   "a/",   "/b",      "a/b/c", "a /b", "a/ b", "a/b c", "*/*",  "a/*",     ".a/b",
        "a/+b", "a/b\r\nx", "ä/b", ";a/b", "a/b,c/d", "a/b\n", "a/b ", " a/b", "a/b\t", "a/b;", "a/b; c=d"}) {
    EXPECT_THAT(MediaType::Parse(text), IsOciError(OciErrorCode::kManifestInvalid)) << text;
  }
  EXPECT_THAT(MediaType::Parse(absl::string_view("a/b\0", 4)), IsOciError(OciErrorCode::kManifestInvalid));
}

}  // namespace
}  // namespace entrepot
