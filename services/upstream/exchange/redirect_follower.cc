#include "services/upstream/exchange/redirect_follower.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"
#include "services/upstream/registry/upstream_error.h"

namespace entrepot::upstream {
namespace {

bool IsSuccess(int status) { return status / 100 == 2; }

bool MayBeRedirected(const std::string& method) { return method == "GET" || method == "HEAD"; }

}  // namespace

RedirectFollower::RedirectFollower(std::string upstream, std::string own_origin, std::unique_ptr<outbound::HttpHop> own,
                                   std::unique_ptr<outbound::HttpHop> other)
    : upstream_(std::move(upstream)),
      own_origin_(std::move(own_origin)),
      own_(std::move(own)),
      other_(std::move(other)) {}

absl::StatusOr<Answer> RedirectFollower::Send(const outbound::HopRequest& request, const Authorize& authorize,
                                              const outbound::HopSink& sink) {
  const auto invalid = [&](absl::string_view problem) {
    return UpstreamError(UpstreamFailure::kInvalid, absl::StrCat(upstream_, " ", problem));
  };
  Answer answer;
  answer.url = request.url;
  std::optional<outbound::Url> previous;
  std::string first_origin;
  for (int redirects = 0;; ++redirects) {
    const auto url = outbound::ParseUrl(answer.url);
    if (!url.ok() || url->has_user || (url->scheme != "https" && url->scheme != "http")) {
      return invalid(absl::StrCat("leads to ", QuotedInput(answer.url), ", which is not a URL for requests"));
    }
    if (!previous.has_value()) first_origin = url->Origin();
    if (previous.has_value() && previous->scheme == "https" && url->scheme == "http") {
      return invalid(absl::StrCat("leads from https to http, at ", QuotedInput(url->host)));
    }
    if (url->Origin() != first_origin) answer.left_origin = true;

    outbound::HopRequest hop = request;
    hop.url = answer.url;
    ASSIGN_OR_RETURN(std::string authorization, authorize(*url, answer.left_origin));
    if (!authorization.empty()) hop.headers.emplace_back("Authorization", std::move(authorization));
    const bool is_own = other_ == nullptr || url->Origin() == own_origin_;
    RETURN_IF_ERROR(SendOnce(is_own ? *own_ : *other_, hop, sink, &answer));

    const std::string location(answer.head.Field("location"));
    const bool is_redirect = MayBeRedirected(request.method) && outbound::IsRedirect(answer.head.status);
    if (!is_redirect || location.empty()) return answer;
    if (redirects == kRedirectsMax) return invalid(absl::StrCat("redirects more than ", kRedirectsMax, " times"));
    const auto target = outbound::ResolveUrl(answer.url, location);
    if (!target.ok()) return invalid(absl::StrCat("leads to ", QuotedInput(location), ", which is not a URL"));
    answer.url = *target;
    previous = *url;
  }
}

absl::Status RedirectFollower::SendOnce(outbound::HttpHop& hop, const outbound::HopRequest& request,
                                        const outbound::HopSink& sink, Answer* answer) const {
  absl::Status sink_error;
  std::optional<outbound::HopHead> refusal;
  answer->error_body.clear();
  outbound::HopSink checked;
  checked.on_head = [&](const outbound::HopHead& head) {
    if (!IsSuccess(head.status)) {
      refusal = head;
    } else if (sink.on_head) {
      sink_error = sink.on_head(head);
    }
    return sink_error;
  };
  checked.on_bytes = [&](absl::string_view bytes) {
    if (refusal.has_value()) {
      if (answer->error_body.size() + bytes.size() > kErrorBodyBytesMax) return absl::AbortedError("enough");
      absl::StrAppend(&answer->error_body, bytes);
    } else if (sink.on_bytes) {
      sink_error = sink.on_bytes(bytes);
    }
    return sink_error;
  };
  auto head = hop.Send(request, checked);
  if (!sink_error.ok()) return sink_error;
  if (absl::IsCancelled(head.status())) return head.status();
  // Of a refusal only the head matters: its body may be cut, or broken off.
  if (refusal.has_value()) {
    answer->head = *std::move(refusal);
    return absl::OkStatus();
  }
  if (!head.ok()) return Fail(head.status());
  answer->head = *std::move(head);
  return absl::OkStatus();
}

absl::Status RedirectFollower::Fail(const absl::Status& status) const {
  if (FailureOf(status).has_value()) return status;
  const bool is_invalid = absl::IsInvalidArgument(status);
  return UpstreamError(is_invalid ? UpstreamFailure::kInvalid : UpstreamFailure::kUnavailable,
                       absl::StrCat(upstream_, ": ", status.message()));
}

void RedirectFollower::Stop() {
  own_->Stop();
  if (other_ != nullptr) other_->Stop();
}

}  // namespace entrepot::upstream
