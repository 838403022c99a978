#include "gateway/api/auth/access_control.h"

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/detached.hpp"
#include "boost/asio/this_coro.hpp"
#include "gateway/api/auth/authorization_header.h"
#include "gateway/api/request/error_response.h"
#include "services/status/oci_error.h"

namespace entrepot::gateway::api {
namespace {

using boost::asio::awaitable;

constexpr absl::Duration kNewTokenAge = absl::Minutes(1);

// The field does not contain a token of this registry.
absl::Status NoToken(absl::string_view message) { return OciError(OciErrorCode::kUnauthorized, message); }

bool Suffices(const AccessToken& token, const RequiredAccess& required) {
  return token.Grants(required.permission, required.repository) &&
         (required.mount_source.empty() || token.Names(required.mount_source));
}

awaitable<void> RefreshKeys(KeySetCache& keys) {
  const CallContext call{"key-set-refresh"};
  // A failure is logged there, and retried later.
  (void)co_await keys.AwaitFetch(call, keys.NextFetch());
}

}  // namespace

AccessControl::AccessControl(AuthBackend* auth, const Clock* clock, const Options& options,
                             const std::shared_ptr<prometheus::Registry>& registry)
    : clock_(clock),
      denials_(options.external_url, options.audit, registry),
      keys_(auth, clock, options.keys),
      verifier_(&keys_, clock, registry) {}

AccessControl::Token AccessControl::FindSufficient(const http::Request& request, const RequiredAccess& required) {
  const absl::string_view text = PeekBearer(request);
  if (text.empty() || required.permission == Permission::kNone) return nullptr;
  const absl::Time now = clock_->Now();
  if (keys_.IsRefreshDue(now)) return nullptr;
  Token token = verifier_.FindVerified(text, now);
  return token != nullptr && Suffices(*token, required) ? token : nullptr;
}

awaitable<AccessControl::Decision> AccessControl::Decide(const http::Request& request, const RequiredAccess& required) {
  if (required.permission == Permission::kNone) co_return Token();
  const absl::StatusOr<std::optional<Authorization>> sent = ReadAuthorization(request);
  if (!sent.ok()) {
    co_return co_await Deny(request, required, DenialReason::kInvalidToken, NoToken(sent.status().message()), nullptr);
  }
  if (!sent->has_value()) {
    co_return co_await Deny(request, required, DenialReason::kMissingToken, absl::OkStatus(), nullptr);
  }
  if (!(*sent)->IsBearer()) {
    // Some clients send a password first. The challenge tells them where to send it.
    co_return co_await Deny(request, required, DenialReason::kMissingToken, absl::OkStatus(), nullptr);
  }
  const absl::string_view text = (*sent)->credentials;
  Token token = verifier_.FindVerified(text, clock_->Now());
  if (token == nullptr) {
    const CallContext call{request.request_id};
    absl::StatusOr<Token> verified = co_await verifier_.Verify(text, call);
    if (absl::IsUnauthenticated(verified.status())) {
      co_return co_await Deny(request, required, DenialReason::kInvalidToken, verified.status(), nullptr);
    }
    if (!verified.ok()) co_return ErrorResponse(verified.status(), request.request_id);
    token = *std::move(verified);
  }
  RefreshKeysIfDue(co_await boost::asio::this_coro::executor, clock_->Now());
  if (!Suffices(*token, required)) {
    // The policy may have changed since an older token was issued, so its client must request another one.
    const bool is_new = clock_->Now() < token->caller().token_issued_at + kNewTokenAge;
    const absl::Status why = is_new ? AccessDenials::WhyInVain(required, *token) : absl::OkStatus();
    co_return co_await Deny(request, required, DenialReason::kInsufficientScope, why, token.get());
  }
  co_return token;
}

awaitable<absl::StatusOr<http::Response>> AccessControl::DeniedByService(const http::Request& request,
                                                                         const RequiredAccess& required,
                                                                         const absl::Status& why,
                                                                         const AccessToken& token) {
  if (absl::IsUnauthenticated(why)) {
    co_return co_await Deny(request, required, DenialReason::kInvalidToken, why, &token);
  }
  denials_.RecordPolicyDenial(request, required, why, token);
  co_return why;
}

awaitable<http::Response> AccessControl::Deny(const http::Request& request, const RequiredAccess& required,
                                              DenialReason reason, const absl::Status& why, const AccessToken* token) {
  const CallContext call{request.request_id};
  const absl::StatusOr<KeySetCache::Keys> keys = co_await keys_.Get(call);
  // The challenge contains the service's name, which only the auth service knows.
  if (!keys.ok()) co_return ErrorResponse(keys.status(), request.request_id);
  co_return denials_.Deny(request, required, reason, (*keys)->expected.audience, why, token);
}

void AccessControl::RefreshKeysIfDue(const boost::asio::any_io_executor& executor, absl::Time now) {
  if (keys_.ClaimRefresh(now)) boost::asio::co_spawn(executor, RefreshKeys(keys_), boost::asio::detached);
}

}  // namespace entrepot::gateway::api
