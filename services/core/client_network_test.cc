#include "services/core/client_network.h"

#include "gtest/gtest.h"

namespace entrepot {
namespace {

TEST(ClientNetworkTest, IsTheAddressOrThePrefix) {
  EXPECT_EQ(ClientNetwork("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(ClientNetwork("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(ClientNetwork("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(ClientNetwork("::1"), "::/64");
  EXPECT_EQ(ClientNetwork(""), "");
}

}  // namespace
}  // namespace entrepot
