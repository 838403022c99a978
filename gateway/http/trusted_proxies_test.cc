#include "gateway/http/trusted_proxies.h"

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway::http {
namespace {

config::v1::PublicEndpoint Endpoint() {
  config::v1::PublicEndpoint endpoint;
  endpoint.add_trusted_proxies("10.0.0.0/8");
  endpoint.add_trusted_proxies("2001:db8::1");
  endpoint.set_forwarded_header("x-forwarded-for");
  return endpoint;
}

TEST(TrustedProxiesTest, ContainsTheAddressesOfItsNetworks) {
  ASSERT_OK_AND_ASSIGN(const TrustedProxies proxies, TrustedProxies::Create(Endpoint()));
  EXPECT_FALSE(proxies.empty());
  EXPECT_FALSE(proxies.send_proxy_header());
  EXPECT_TRUE(proxies.Contains("10.1.2.3"));
  EXPECT_TRUE(proxies.Contains("2001:db8::1"));
  EXPECT_FALSE(proxies.Contains("11.0.0.1"));
  EXPECT_FALSE(proxies.Contains("2001:db8::2"));
  EXPECT_FALSE(proxies.Contains(""));
}

TEST(TrustedProxiesTest, TrustsNothingByDefault) {
  ASSERT_OK_AND_ASSIGN(const TrustedProxies proxies, TrustedProxies::Create(config::v1::PublicEndpoint()));
  EXPECT_TRUE(proxies.empty());
  EXPECT_FALSE(proxies.Contains("127.0.0.1"));
}

TEST(TrustedProxiesTest, ReadsTheConfiguredHeaderOnly) {
  Request request;
  request.fields = {{"X-Forwarded-For", "203.0.113.1"}, {"Forwarded", "for=203.0.113.2"}};
  config::v1::PublicEndpoint endpoint = Endpoint();
  EXPECT_EQ(TrustedProxies::Create(endpoint).value().ReadClient(request).address, "203.0.113.1");
  endpoint.set_forwarded_header("forwarded");
  EXPECT_EQ(TrustedProxies::Create(endpoint).value().ReadClient(request).address, "203.0.113.2");
}

TEST(TrustedProxiesTest, RefusesWhatIsNoNetwork) {
  config::v1::PublicEndpoint endpoint = Endpoint();
  endpoint.add_trusted_proxies("proxy.example");
  EXPECT_TRUE(absl::IsInvalidArgument(TrustedProxies::Create(endpoint).status()));
}

}  // namespace
}  // namespace entrepot::gateway::http
