#include "services/core/repository_name.h"

#include <string>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

TEST(RepositoryNameTest, AcceptsNamesOfTheSpecification) {
  for (const std::string& text :
       {std::string("a"), std::string("0"), std::string("library/nginx"), std::string("a.b_c__d-e--f---g"),
        std::string("blobs/uploads"), std::string("manifests"), std::string("a/b/c/d/e/f/g/h"),
        std::string("docker.io/a"), std::string(255, 'x')}) {
    ASSERT_OK_AND_ASSIGN(const RepositoryName name, RepositoryName::Parse(text));
    EXPECT_EQ(name.ToString(), text);
  }
}

TEST(RepositoryNameTest, RefusesEverythingElse) {
  for (const std::string& text :
       {std::string(),       std::string("/"),      std::string("/a"),       std::string("a/"),
        std::string("a//b"), std::string("A"),      std::string("a/B"),      std::string("."),
        std::string(".."),   std::string("a/../b"), std::string("a/./b"),    std::string("-a"),
        std::string("a-"),   std::string("_a"),     std::string("a_"),       std::string("a___b"),
        std::string("a..b"), std::string("a._b"),   std::string("a-_b"),     std::string("a.-b"),
        std::string("a b"),  std::string("a%2fb"),  std::string("a:5000/b"), std::string("é"),
        std::string("a\n"),  std::string("a\0b", 3)}) {
    EXPECT_THAT(RepositoryName::Parse(text), IsOciError(OciErrorCode::kNameInvalid)) << text;
  }
}

TEST(RepositoryNameTest, ReportsTheLengthLimit) {
  const auto name = RepositoryName::Parse(std::string(256, 'x'));
  EXPECT_THAT(name, IsOciError(OciErrorCode::kNameInvalid));
  EXPECT_THAT(name.status().message(), ::testing::HasSubstr("256 bytes long, more than 255"));
}

}  // namespace
}  // namespace entrepot
