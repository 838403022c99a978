#ifndef ENTREPOT_GATEWAY_API_FRONT_PAGE_H_
#define ENTREPOT_GATEWAY_API_FRONT_PAGE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "gateway/api/request/registry_request.h"
#include "gateway/backends/call_context.h"
#include "gateway/http/message.h"

namespace entrepot::gateway::api {

// GET of "/": a page for a person who opens the registry's address in a browser. It has the version, and the commands
// of a first push with the host of the registry. It shows nothing of the content, and needs no script or style.
class FrontPage {
 public:
  // `external_url` is the configuration's listen.external_url. Without it, the host is that of the request.
  FrontPage(absl::string_view external_url, bool has_accounts);

  HandlerResult Handle(http::Request& request, const CallContext& call) const;

 private:
  const std::string external_url_;
  const bool has_accounts_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_FRONT_PAGE_H_
