#include "services/upstream/client/upstream_requests.h"

#include <map>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "services/outbound/url.h"
#include "services/status/status_macros.h"
#include "services/upstream/exchange/answer_error.h"
#include "services/upstream/registry/upstream_error.h"

namespace entrepot::upstream {
namespace {

constexpr absl::Duration kBlobPatience = absl::Minutes(10);
constexpr absl::Duration kPatience = absl::Seconds(30);
// A token for the upstream, one for the host that it redirects to, and one more for a host behind that.
constexpr int kAttemptsMax = 4;

bool MayMeanUnauthorized(int status) { return status == 400 || status == 401 || status == 403; }

}  // namespace

absl::StatusOr<Answer> UpstreamRequests::Send(const Request& request, const outbound::HopSink& sink) {
  if (const std::optional<absl::Duration> wait = parts_.pace->Refusal(request.kind)) {
    return UpstreamError(UpstreamFailure::kRateLimited,
                         absl::StrCat(parts_.upstream, " refuses such requests for now (Retry-After)"), wait);
  }
  if (parts_.stop->WaitFor(parts_.pace->Slowdown(request.kind))) return absl::CancelledError("stopped");
  ASSIGN_OR_RETURN(const ConnectionBudget::Turn turn, TakeTurn(request.kind));

  // The origins whose challenge was followed. Each is followed once: if a new token is refused too, it is not too old.
  std::set<std::string> learned;
  for (int attempt = 1;; ++attempt) {
    std::map<std::string, std::string> fields;
    const auto authorize = [&](const outbound::Url& url, bool left_origin) -> absl::StatusOr<std::string> {
      const std::string origin = url.Origin();
      // Another host has redirected to the upstream's own one: it must not decide what is sent there with credentials.
      if (left_origin && origin == parts_.own_origin) return "";
      ASSIGN_OR_RETURN(std::string field, parts_.authorization->FieldFor(origin, request.repository));
      fields[origin] = field;
      return field;
    };
    ASSIGN_OR_RETURN(Answer answer, parts_.follower->Send(request.http, authorize, sink));
    if (!answer.left_origin) {
      parts_.pace->Note(request.kind, answer.head);
      parts_.metrics->SetRateLimit(parts_.pace->rate_limit());
    }
    if (!MayMeanUnauthorized(answer.head.status) || attempt == kAttemptsMax) return answer;
    const auto url = outbound::ParseUrl(answer.url);
    if (!url.ok() || !fields.contains(url->Origin())) return answer;
    const std::string origin = url->Origin();
    const bool may_help = parts_.authorization->Learn(origin, request.repository, fields[origin], answer.head);
    if (!may_help || !learned.insert(origin).second) return answer;
  }
}

absl::Status UpstreamRequests::ErrorOf(const Request& request, const Answer& answer) const {
  const auto url = outbound::ParseUrl(request.http.url);
  const std::string path = url.ok() ? url->path : "";
  return ErrorOfAnswer(parts_.upstream, absl::StrCat(request.http.method, " ", path), answer, parts_.clock->Now());
}

absl::StatusOr<ConnectionBudget::Turn> UpstreamRequests::TakeTurn(RequestKind kind) {
  const bool is_blob = kind == RequestKind::kGetBlob;
  auto turn = parts_.budget->Take(is_blob ? ConnectionBudget::Use::kBlob : ConnectionBudget::Use::kOther,
                                  is_blob ? kBlobPatience : kPatience);
  if (turn.ok() || absl::IsCancelled(turn.status())) return turn;
  return NotSentError(absl::StrCat(parts_.upstream, ": ", turn.status().message()));
}

}  // namespace entrepot::upstream
