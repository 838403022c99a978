#include "gateway/api/auth/token_verifier.h"

#include <array>
#include <atomic>
#include <string>
#include <utility>

#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

using boost::asio::awaitable;

constexpr size_t kCacheBytesMax = 32 << 20;

// Tokens that this thread used recently, as copies: no lock and no reference counter is shared with another thread,
// which may be preempted while it holds one.
struct Recent {
  uint64_t verifier = 0;
  std::string text;
  std::shared_ptr<const AccessToken> token;
};
constexpr size_t kRecentMax = 16;
thread_local std::array<Recent, kRecentMax> recent_tokens;

Recent& RecentFor(absl::string_view text) {
  // Tokens differ at the end of their signature, except for its last bits.
  const size_t at = text.size() < 4 ? 0 : static_cast<unsigned char>(text[text.size() - 4]);
  return recent_tokens[at % kRecentMax];
}

uint64_t NextId() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

}  // namespace

TokenVerifier::TokenVerifier(KeySetCache* keys, const Clock* clock,
                             const std::shared_ptr<prometheus::Registry>& registry)
    : id_(NextId()), keys_(keys), clock_(clock), cache_(kCacheBytesMax) {
  auto& verifications = prometheus::BuildCounter()
                            .Name("entrepot_token_verifications_total")
                            .Help("Bearer tokens checked: verified, found in the cache, or refused")
                            .Register(*registry);
  verified_ = &verifications.Add({{"result", "verified"}});
  cached_ = &verifications.Add({{"result", "cached"}});
  refused_ = &verifications.Add({{"result", "refused"}});
}

TokenVerifier::Token TokenVerifier::FindVerified(absl::string_view text, absl::Time now) {
  Token token = FindCached(text);
  if (token == nullptr || token->generation() != keys_->generation() || !token->IsValidAt(now)) return nullptr;
  cached_->Increment();
  return token;
}

TokenVerifier::Token TokenVerifier::FindCached(absl::string_view text) {
  Recent& recent = RecentFor(text);
  if (recent.verifier == id_ && recent.text == text && recent.token->generation() == keys_->generation()) {
    return recent.token;
  }
  Token token = cache_.Find(text);
  if (token != nullptr) recent = {id_, std::string(text), std::make_shared<const AccessToken>(*token)};
  return token;
}

awaitable<absl::StatusOr<TokenVerifier::Token>> TokenVerifier::Verify(absl::string_view text, const CallContext& call) {
  absl::StatusOr<Token> token = co_await VerifyUncounted(text, call);
  if (token.ok()) {
    verified_->Increment();
  } else if (absl::IsUnauthenticated(token.status())) {
    refused_->Increment();
  }
  co_return token;
}

awaitable<absl::StatusOr<TokenVerifier::Token>> TokenVerifier::VerifyUncounted(absl::string_view text,
                                                                               const CallContext& call) {
  const uint64_t next = keys_->NextFetch();
  CO_ASSIGN_OR_RETURN(KeySetCache::Keys keys, co_await keys_->Get(call));
  absl::StatusOr<Token> token = VerifyWith(text, *keys);
  // An unknown key may be new. A fetch under way may bring it; one that begins now does.
  if (absl::IsNotFound(token.status())) {
    CO_ASSIGN_OR_RETURN(keys, co_await keys_->AwaitAnyFetch(call));
    token = VerifyWith(text, *keys);
  }
  if (absl::IsNotFound(token.status())) {
    CO_ASSIGN_OR_RETURN(keys, co_await keys_->AwaitFetch(call, next));
    token = VerifyWith(text, *keys);
  }
  if (absl::IsNotFound(token.status())) {
    co_return OciError(OciErrorCode::kUnauthorized, "the token was not signed with a key of this registry");
  }
  co_return token;
}

absl::StatusOr<TokenVerifier::Token> TokenVerifier::VerifyWith(absl::string_view text, const VerificationKeys& keys) {
  ASSIGN_OR_RETURN(const token::RegistryClaims claims,
                   token::VerifyRegistryToken(text, keys.keys, keys.expected, clock_->Now()));
  auto token = std::make_shared<const AccessToken>(claims, keys.generation);
  cache_.Insert(text, token);
  return token;
}

}  // namespace entrepot::gateway::api
