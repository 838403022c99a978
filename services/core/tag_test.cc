#include "services/core/tag.h"

#include <string>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

TEST(TagTest, AcceptsNamesOfTheSpecification) {
  for (const std::string& text : {std::string("latest"), std::string("v1.2.3-rc_1"), std::string("_"), std::string("9"),
                                  "sha256-" + std::string(64, 'a'), std::string(128, 'x'), std::string("A..--")}) {
    ASSERT_OK_AND_ASSIGN(const Tag tag, Tag::Parse(text));
    EXPECT_EQ(tag.ToString(), text);
  }
}

TEST(TagTest, RefusesEverythingElse) {
  for (const std::string& text : {std::string(), std::string(".a"), std::string("-a"), std::string(129, 'x'),
                                  std::string("a b"), std::string("a:b"), std::string("a/b"), std::string("a+b"),
                                  std::string("a\n"), std::string("é"), std::string("a\0b", 3)}) {
    EXPECT_THAT(Tag::Parse(text), IsOciError(OciErrorCode::kTagInvalid)) << text;
  }
}

}  // namespace
}  // namespace entrepot
