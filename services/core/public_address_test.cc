#include "services/core/public_address.h"

#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

using testing::HasSubstr;

absl::Status Check(absl::string_view text) { return CheckPublicAddress(IpAddress::Parse(text).value()); }

TEST(PublicAddressTest, TakesAddressesOfTheInternet) {
  for (const char* text : {"1.1.1.1",        "9.255.255.255",    "11.0.0.0",        "100.63.255.255",
                           "100.128.0.0",    "126.255.255.255",  "128.0.0.0",       "168.63.129.15",
                           "168.63.129.17",  "169.253.255.255",  "169.255.0.0",     "172.15.255.255",
                           "172.32.0.0",     "191.255.255.255",  "192.0.1.0",       "192.0.3.0",
                           "192.88.98.255",  "192.88.100.0",     "192.167.255.255", "192.169.0.0",
                           "198.17.255.255", "198.20.0.0",       "198.51.99.255",   "198.51.101.0",
                           "203.0.112.255",  "203.0.114.0",      "223.255.255.255", "2000::1",
                           "2001:200::1",    "2001:db7:ffff::1", "2001:db9::",      "2606:4700:4700::1111",
                           "3ffe:ffff::1",   "3fff:1000::1",     "2a00::1"}) {
    EXPECT_OK(Check(text)) << text;
  }
}

TEST(PublicAddressTest, RefusesEachRangeAtItsFirstAndLastAddress) {
  constexpr struct {
    const char* first;
    const char* last;
    const char* range;
  } kRanges[] = {
      {"0.0.0.0", "0.255.255.255", "0.0.0.0/8 (this network)"},
      {"10.0.0.0", "10.255.255.255", "10.0.0.0/8 (private)"},
      {"100.64.0.0", "100.127.255.255", "100.64.0.0/10 (carrier-grade NAT)"},
      {"127.0.0.0", "127.255.255.255", "127.0.0.0/8 (loopback)"},
      {"169.254.0.0", "169.254.255.255", "169.254.0.0/16 (link-local)"},
      {"172.16.0.0", "172.31.255.255", "172.16.0.0/12 (private)"},
      {"192.0.0.0", "192.0.0.255", "192.0.0.0/24 (protocol assignments)"},
      {"192.0.2.0", "192.0.2.255", "192.0.2.0/24 (documentation)"},
      {"192.88.99.0", "192.88.99.255", "192.88.99.0/24 (6to4 relays)"},
      {"192.168.0.0", "192.168.255.255", "192.168.0.0/16 (private)"},
      {"198.18.0.0", "198.19.255.255", "198.18.0.0/15 (benchmarks)"},
      {"198.51.100.0", "198.51.100.255", "198.51.100.0/24 (documentation)"},
      {"203.0.113.0", "203.0.113.255", "203.0.113.0/24 (documentation)"},
      {"224.0.0.0", "239.255.255.255", "224.0.0.0/4 (multicast)"},
      {"240.0.0.0", "255.255.255.254", "240.0.0.0/4 (reserved)"},
      {"255.255.255.255", "255.255.255.255", "255.255.255.255/32 (broadcast)"},
      {"::", "::", "::/128 (unspecified)"},
      {"::1", "::1", "::1/128 (loopback)"},
      {"::2", "::255.255.255.255", "::/96 (IPv4-compatible)"},
      {"64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "64:ff9b:1::/48 (local NAT64)"},
      {"100::", "100::ffff:ffff:ffff:ffff", "100::/64 (discarded)"},
      {"2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001::/23 (protocol assignments)"},
      {"2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::/32 (documentation)"},
      {"3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff::/20 (documentation)"},
      {"5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "5f00::/16 (segment routing)"},
      {"fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fc00::/7 (private)"},
      {"fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe80::/10 (link-local)"},
      {"fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fec0::/10 (site-local)"},
      {"ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ff00::/8 (multicast)"},
  };
  for (const auto& [first, last, range] : kRanges) {
    for (const std::string text : {first, last}) {
      const absl::Status status = Check(text);
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kPermissionDenied)) << text;
      EXPECT_EQ(status.message(), "the address " + text + " is not public: it is in " + range);
    }
  }
}

TEST(PublicAddressTest, RefusesIpv6ThatIsNotAssigned) {
  for (const char* text : {"::ffff:0:1.1.1.1", "64:ff9a::1", "64:ff9b:0:0:0:1::", "100:0:0:1::", "1fff::1", "4000::1",
                           "fbff::1", "fe00::1"}) {
    EXPECT_THAT(std::string(Check(text).message()), HasSubstr("it is in ::/0 (not assigned to the internet)")) << text;
  }
}

TEST(PublicAddressTest, RefusesTheMetadataServersOfClouds) {
  for (const char* text : {"169.254.169.254", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254",
                           "64:ff9b::169.254.169.254"}) {
    EXPECT_THAT(std::string(Check(text).message()), HasSubstr("(cloud metadata)")) << text;
  }
}

TEST(PublicAddressTest, JudgesIpv6ThatStandsForIpv4AsThatAddress) {
  for (const char* text : {"::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:101:101::1"}) EXPECT_OK(Check(text)) << text;
  EXPECT_EQ(Check("::ffff:127.0.0.1").message(),
            "the address 127.0.0.1 is not public: it is in 127.0.0.0/8 (loopback)");
  EXPECT_EQ(Check("64:ff9b::10.1.2.3").message(),
            "the address 64:ff9b::a01:203, which stands for 10.1.2.3, is not public: it is in 10.0.0.0/8 (private)");
  EXPECT_EQ(Check("2002:7f00:1::1").message(),
            "the address 2002:7f00:1::1, which stands for 127.0.0.1, is not public: it is in 127.0.0.0/8 (loopback)");
  EXPECT_EQ(Check("2002:c0a8:101:ffff::2").message(),
            "the address 2002:c0a8:101:ffff::2, which stands for 192.168.1.1, is not public: it is in 192.168.0.0/16 "
            "(private)");
}

}  // namespace
}  // namespace entrepot
