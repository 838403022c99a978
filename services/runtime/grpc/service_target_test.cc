#include "services/runtime/grpc/service_target.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ServiceTargetTest, SplitsATarget) {
  const std::vector<TargetPart> parts = SplitTarget("127.0.0.1:5011,[::1]:5012,blob-1:5013,dns:///blob.svc:5014");
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(parts[0].host, "127.0.0.1");
  EXPECT_EQ(parts[0].port, 5011);
  EXPECT_FALSE(parts[0].is_name);
  EXPECT_EQ(parts[1].host, "::1");
  EXPECT_EQ(parts[1].port, 5012);
  EXPECT_EQ(parts[2].text, "blob-1:5013");
  EXPECT_FALSE(parts[2].is_name);
  EXPECT_EQ(parts[3].text, "dns:///blob.svc:5014");
  EXPECT_EQ(parts[3].host, "blob.svc");
  EXPECT_EQ(parts[3].port, 5014);
  EXPECT_TRUE(parts[3].is_name);
}

TEST(ServiceTargetTest, MakesTargetsOfAddresses) {
  EXPECT_EQ(AddressTarget("10.0.0.1", 5011), "ipv4:10.0.0.1:5011");
  EXPECT_EQ(AddressTarget("fd00::1", 5011), "ipv6:[fd00::1]:5011");
}

TEST(ServiceTargetTest, ResolvesBySystem) {
  EXPECT_THAT(ResolveBySystem("127.0.0.1"), IsOkAndHolds(ElementsAre("127.0.0.1")));
  EXPECT_THAT(ResolveBySystem("::1"), IsOkAndHolds(ElementsAre("::1")));
  const auto nothing = ResolveBySystem("name..invalid");
  EXPECT_THAT(nothing, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(nothing.status().message()), HasSubstr("cannot resolve name..invalid: "));
}

}  // namespace
}  // namespace entrepot::runtime
