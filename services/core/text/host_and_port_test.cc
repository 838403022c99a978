#include "services/core/text/host_and_port.h"

#include "gtest/gtest.h"

namespace entrepot {
namespace {

TEST(HostAndPortTest, PutsIpv6AddressesInBrackets) {
  EXPECT_EQ(HostAndPort("127.0.0.1", 5000), "127.0.0.1:5000");
  EXPECT_EQ(HostAndPort("::1", 5000), "[::1]:5000");
}

TEST(HostAndPortTest, RecognisesPorts) {
  for (const char* port : {"0", "80", "00080", "65535"}) EXPECT_TRUE(IsPort(port)) << port;
  for (const char* text : {"", "65536", "000080", "-1", "+1", " 80", "80 ", "8a", "99999"}) {
    EXPECT_FALSE(IsPort(text)) << text;
  }
}

}  // namespace
}  // namespace entrepot
