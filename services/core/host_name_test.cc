#include "services/core/host_name.h"

#include <string>

#include "gtest/gtest.h"

namespace entrepot {
namespace {

TEST(HostNameTest, FindsTheHost) {
  EXPECT_EQ(HostOf("registry.example"), "registry.example");
  EXPECT_EQ(HostOf("registry.example:5000"), "registry.example");
  EXPECT_EQ(HostOf("registry.example.:5000"), "registry.example");
  EXPECT_EQ(HostOf("127.0.0.1:5000"), "127.0.0.1");
  EXPECT_EQ(HostOf("[2001:db8::1]:5000"), "2001:db8::1");
  EXPECT_EQ(HostOf("[::1]"), "::1");
  EXPECT_EQ(HostOf("[::1"), "::1");
  EXPECT_EQ(HostOf(""), "");
  EXPECT_EQ(HostOf(":5000"), "");
}

TEST(HostNameTest, KnowsHosts) {
  for (const std::string& good : {std::string("registry.example"), std::string("my_host-1"), std::string("10.0.0.5"),
                                  std::string("2001:db8::1"), std::string(253, 'a')}) {
    EXPECT_TRUE(IsHost(good)) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("a:5000"), std::string("[::1]"), std::string("http://a"), std::string("a/b"),
        std::string("*.example"), std::string("a b"), std::string("a."), std::string("<a>"), std::string(254, 'a')}) {
    EXPECT_FALSE(IsHost(bad)) << bad;
  }
}

TEST(HostNameTest, ComparesHosts) {
  EXPECT_TRUE(IsSameHost("Registry.Example", "registry.example"));
  EXPECT_TRUE(IsSameHost("2001:DB8:0::1", "2001:db8::1"));
  EXPECT_TRUE(IsSameHost("::ffff:10.0.0.5", "10.0.0.5"));
  EXPECT_FALSE(IsSameHost("registry.example", "registry.example.evil"));
  EXPECT_FALSE(IsSameHost("a:b", "c:d"));
  EXPECT_FALSE(IsSameHost("", "registry.example"));
}

TEST(HostNameTest, KnowsLoopbackHosts) {
  for (const char* loopback : {"localhost", "LOCALHOST", "registry.localhost", "127.0.0.1", "127.1.2.3", "::1"}) {
    EXPECT_TRUE(IsLoopbackHost(loopback)) << loopback;
  }
  for (const char* other : {"", "localhost.evil.example", "notlocalhost", "127.0.0.1.evil.example", "0.0.0.0",
                            "::", "10.0.0.1", "127.evil.example"}) {
    EXPECT_FALSE(IsLoopbackHost(other)) << other;
  }
}

}  // namespace
}  // namespace entrepot
