#include "services/core/ip_network.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

using ::testing::HasSubstr;

std::string Canonical(absl::string_view text) {
  const std::optional<IpAddress> address = IpAddress::Parse(text);
  return address.has_value() ? address->ToString() : "(none)";
}

bool Contains(absl::string_view network, absl::string_view address) {
  return IpNetwork::Parse(network).value().Contains(IpAddress::Parse(address).value());
}

TEST(IpAddressTest, HasOneTextForEachAddress) {
  EXPECT_EQ(Canonical("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(Canonical("2001:DB8:0:0::1"), "2001:db8::1");
  EXPECT_EQ(Canonical("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(Canonical("::"), "::");
}

TEST(IpAddressTest, RefusesEverythingElse) {
  for (const absl::string_view text :
       {"", "192.0.2", "192.0.2.256", "192.0.2.01", "192.0.2.1:80", "[::1]", "fe80::1%eth0", "localhost", " ::1",
        "1:2:3:4:5:6:7:8:9", "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"}) {
    EXPECT_EQ(Canonical(text), "(none)") << text;
  }
  EXPECT_EQ(Canonical(absl::string_view("192.0.2.1\0", 10)), "(none)");
}

TEST(IpAddressTest, KnowsTheLoopbackAddresses) {
  for (const char* text : {"127.0.0.1", "127.255.0.3", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(IpAddress::Parse(text)->IsLoopback()) << text;
  }
  for (const char* text : {"126.0.0.1", "128.0.0.1", "0.0.0.0", "::", "::2", "1::1", "::ffff:10.0.0.1", "7f00::1"}) {
    EXPECT_FALSE(IpAddress::Parse(text)->IsLoopback()) << text;
  }
}

TEST(IpNetworkTest, ContainsTheAddressesWithItsPrefix) {
  EXPECT_TRUE(Contains("192.0.2.0/24", "192.0.2.255"));
  EXPECT_FALSE(Contains("192.0.2.0/24", "192.0.3.0"));
  EXPECT_TRUE(Contains("192.0.2.64/26", "192.0.2.127"));
  EXPECT_FALSE(Contains("192.0.2.64/26", "192.0.2.128"));
  EXPECT_TRUE(Contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(Contains("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(Contains("192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(Contains("192.0.2.1", "192.0.2.2"));
  EXPECT_TRUE(Contains("::ffff:192.0.2.1", "192.0.2.1"));
}

TEST(IpNetworkTest, KeepsIpv4AndIpv6Apart) {
  EXPECT_TRUE(Contains("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(Contains("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(Contains("::/0", "2001:db8::1"));
  EXPECT_FALSE(Contains("::/0", "203.0.113.9"));
  EXPECT_FALSE(Contains("::/64", "0.0.0.1"));
}

TEST(IpNetworkTest, KnowsWhetherItIsEverything) {
  EXPECT_TRUE(IpNetwork::Parse("0.0.0.0/0").value().IsEverything());
  EXPECT_TRUE(IpNetwork::Parse("::/0").value().IsEverything());
  EXPECT_FALSE(IpNetwork::Parse("0.0.0.0/1").value().IsEverything());
  EXPECT_FALSE(IpNetwork::Parse("::/1").value().IsEverything());
}

TEST(IpNetworkTest, RefusesEverythingElse) {
  for (const absl::string_view text : {"", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/+8", "::/129",
                                       "10.0.0.0/8/8", "10.0.0/8", "proxy.example", "10.0.0.0 /8"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(IpNetwork::Parse(text).status())) << text;
  }
}

TEST(IpNetworkTest, NamesTheNetworkOfAnAddressWithBitsBehindThePrefix) {
  EXPECT_THAT(IpNetwork::Parse("10.1.2.3/8").status().message(), HasSubstr("the network is \"10.0.0.0/8\""));
  EXPECT_THAT(IpNetwork::Parse("2001:db8::1/64").status().message(), HasSubstr("the network is \"2001:db8::/64\""));
}

}  // namespace
}  // namespace entrepot
