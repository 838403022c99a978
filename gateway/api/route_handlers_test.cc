#include "gateway/api/route_handlers.h"

#include "gtest/gtest.h"

namespace entrepot::gateway::api {
namespace {

struct ForRegistry {
  HandlerResult Handle(http::Request&, const CallContext&) const { co_return http::Response(); }
};

struct ForRepository {
  HandlerResult Handle(RegistryRequest&) const { co_return http::Response(); }
};

RouteHandlers WithoutAccounts() {
  RouteHandlers handlers;
  for (const RouteInfo& info : kRouteTable) {
    if (info.presence == Presence::kWithAccounts) continue;
    if (info.pattern.has_repository()) {
      handlers.Add(info.family, ForRepository());
    } else {
      handlers.Add(info.family, ForRegistry());
    }
  }
  return handlers;
}

TEST(RouteHandlersTest, AcceptsAHandlerForEveryRoute) { WithoutAccounts().CheckComplete(/*has_accounts=*/false); }

TEST(RouteHandlersDeathTest, AbortsOnARouteWithoutAHandler) {
  EXPECT_DEATH(WithoutAccounts().CheckComplete(/*has_accounts=*/true), "a route has no handler.*token");
}

TEST(RouteHandlersDeathTest, AbortsOnAHandlerOfTheWrongKind) {
  RouteHandlers handlers = WithoutAccounts();
  handlers.Add(RouteFamily::kBlob, ForRegistry());
  EXPECT_DEATH(handlers.CheckComplete(/*has_accounts=*/false), "a route has no handler.*blob");
}

}  // namespace
}  // namespace entrepot::gateway::api
