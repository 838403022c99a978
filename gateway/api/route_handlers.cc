#include "gateway/api/route_handlers.h"

#include <cstdlib>

#include "services/runtime/log/json_log.h"

namespace entrepot::gateway::api {

void RouteHandlers::CheckComplete(bool has_accounts) const {
  for (const RouteInfo& info : kRouteTable) {
    if (info.presence == Presence::kWithAccounts && !has_accounts) continue;
    const Entry& entry = At(info.family);
    if (info.pattern.has_repository() ? std::holds_alternative<RepositoryHandler>(entry)
                                      : std::holds_alternative<RegistryHandler>(entry)) {
      continue;
    }
    runtime::Log(runtime::LogLevel::kError, "a route has no handler", {{"route", info.label}});
    std::abort();
  }
}

}  // namespace entrepot::gateway::api
