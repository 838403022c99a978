#include "services/core/client_network.h"

#include "gtest/gtest.h"

namespace entrepot {
namespace {

TEST(ClientNetworkTest, IsAnIpv4AddressOrTheIpv6NetworkOfAClient) {
  EXPECT_EQ(ClientNetwork("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(ClientNetwork("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(ClientNetwork("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(ClientNetwork("::1"), "::/64");
  EXPECT_EQ(ClientNetwork(""), "");
}

TEST(ClientNetworkTest, ARequesterIsAnAccountOrElseANetwork) {
  EXPECT_EQ(Requester("ada", "192.0.2.1"), "account ada");
  EXPECT_EQ(Requester("", "2001:db8:1:2:3:4:5:6"), "network 2001:db8:1:2::/64");
  EXPECT_EQ(Requester("", ""), "");
}

}  // namespace
}  // namespace entrepot
