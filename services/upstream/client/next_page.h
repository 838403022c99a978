#ifndef ENTREPOT_SERVICES_UPSTREAM_CLIENT_NEXT_PAGE_H_
#define ENTREPOT_SERVICES_UPSTREAM_CLIENT_NEXT_PAGE_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "services/outbound/http_hop.h"

namespace entrepot::upstream {

// The URL of the page that follows a response from `url`, by its Link field with rel=next (RFC 8288); nullopt if it is
// the last one. A relative link is resolved. Of an absolute one the host must be the response's; its scheme and port
// are not used: servers behind a proxy write those of their own. kInvalidArgument: the link leads to another host, or
// is no URL.
absl::StatusOr<std::optional<std::string>> NextPage(const outbound::HopHead& head, const std::string& url);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_CLIENT_NEXT_PAGE_H_
