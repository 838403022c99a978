#ifndef ENTREPOT_GATEWAY_API_ROUTE_HANDLERS_H_
#define ENTREPOT_GATEWAY_API_ROUTE_HANDLERS_H_

#include <array>
#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>
#include <variant>

#include "gateway/api/request/registry_request.h"
#include "gateway/api/request/route_table.h"
#include "gateway/backends/call_context.h"
#include "gateway/http/message.h"

namespace entrepot::gateway::api {

// The handler of each route of request/route_table.h. Thread-safe once all handlers are added, if the handlers are.
class RouteHandlers {
 public:
  // Handles a route of the registry, and one of a repository. The arguments outlive the result.
  using RegistryHandler = std::function<HandlerResult(http::Request&, const CallContext&)>;
  using RepositoryHandler = std::function<HandlerResult(RegistryRequest&)>;

  // Keeps the handler, an object with `HandlerResult Handle(RegistryRequest&) const` if the route's pattern has a
  // repository, otherwise with `HandlerResult Handle(http::Request&, const CallContext&) const`.
  template <typename Handler>
  void Add(RouteFamily family, Handler handler) {
    if constexpr (std::is_invocable_v<decltype(&Handler::Handle), const Handler&, RegistryRequest&>) {
      At(family) = RepositoryHandler(
          [handler = std::move(handler)](RegistryRequest& request) { return handler.Handle(request); });
    } else {
      At(family) = RegistryHandler([handler = std::move(handler)](http::Request& request, const CallContext& call) {
        return handler.Handle(request, call);
      });
    }
  }

  // Aborts if a row of the table has no handler of its kind. Rows with Presence::kWithAccounts need one only if the
  // registry has accounts.
  void CheckComplete(bool has_accounts) const;

  // Requires that the route has a handler of the kind.
  const RegistryHandler& ForRegistry(RouteFamily family) const { return std::get<RegistryHandler>(At(family)); }
  const RepositoryHandler& ForRepository(RouteFamily family) const { return std::get<RepositoryHandler>(At(family)); }

 private:
  using Entry = std::variant<std::monostate, RegistryHandler, RepositoryHandler>;

  Entry& At(RouteFamily family) { return entries_[static_cast<size_t>(family)]; }
  const Entry& At(RouteFamily family) const { return entries_[static_cast<size_t>(family)]; }

  std::array<Entry, kRouteTable.size()> entries_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_ROUTE_HANDLERS_H_
