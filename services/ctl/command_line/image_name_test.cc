#include "services/ctl/command_line/image_name.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace entrepot::ctl {
namespace {

std::string Parsed(const std::string& text) {
  const ImageName image = ParseImageName(text);
  return absl::StrCat(image.repository, " ", image.reference);
}

TEST(ImageNameTest, HasATagADigestOrNone) {
  EXPECT_EQ(Parsed("team/app"), "team/app ");
  EXPECT_EQ(Parsed("team/app:v1"), "team/app v1");
  EXPECT_EQ(Parsed("team/app@sha256:aa"), "team/app sha256:aa");
  EXPECT_EQ(Parsed("team/app:v1@sha256:aa"), "team/app sha256:aa");
  EXPECT_EQ(Parsed("up.example:5000/a"), "up.example:5000/a ");
}

}  // namespace
}  // namespace entrepot::ctl
