#ifndef ENTREPOT_SERVICES_UPSTREAM_EXCHANGE_REDIRECT_FOLLOWER_H_
#define ENTREPOT_SERVICES_UPSTREAM_EXCHANGE_REDIRECT_FOLLOWER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/outbound/http_hop.h"
#include "services/outbound/url.h"

namespace entrepot::upstream {

// The last response to a request.
struct Answer {
  outbound::HopHead head;
  // Where it came from.
  std::string url;
  // Whether a redirect has led to another origin than that of the request.
  bool left_origin = false;
  // The beginning of the body, if the status is not 2xx. Untrusted.
  std::string error_body;
};

// Sends requests of one upstream and follows the redirects of GET and HEAD by hand: at most 5, none from https to http,
// and none to a URL with a user. Each hop is checked and authorised by itself. Thread-safe; calls block.
class RedirectFollower {
 public:
  static constexpr int kRedirectsMax = 5;
  static constexpr size_t kErrorBodyBytesMax = 16 * 1024;

  // The value of the Authorization field for a hop; empty: none. `left_origin` as in Answer.
  using Authorize = std::function<absl::StatusOr<std::string>(const outbound::Url& url, bool left_origin)>;

  // `own` is for requests to `own_origin`, `other` for all others, so that a client certificate is shown to the
  // upstream only. Without `other` all go through `own`.
  RedirectFollower(std::string upstream, std::string own_origin, std::unique_ptr<outbound::HttpHop> own,
                   std::unique_ptr<outbound::HttpHop> other);

  // `sink` receives the head and the body of the last response if its status is 2xx. Errors are UpstreamError():
  // kUnavailable if there is no whole response, kInvalid for redirects that are not followed; kCancelled after Stop();
  // those of `authorize` and of `sink` are returned as they are.
  absl::StatusOr<Answer> Send(const outbound::HopRequest& request, const Authorize& authorize,
                              const outbound::HopSink& sink);
  void Stop();

 private:
  absl::Status SendOnce(outbound::HttpHop& hop, const outbound::HopRequest& request, const outbound::HopSink& sink,
                        Answer* answer) const;
  absl::Status Fail(const absl::Status& status) const;

  const std::string upstream_;
  const std::string own_origin_;
  const std::unique_ptr<outbound::HttpHop> own_;
  const std::unique_ptr<outbound::HttpHop> other_;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_EXCHANGE_REDIRECT_FOLLOWER_H_
