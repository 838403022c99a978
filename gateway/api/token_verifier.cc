#include "gateway/api/token_verifier.h"

#include <utility>

#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

using boost::asio::awaitable;

constexpr size_t kCacheBytesMax = 32 << 20;

}  // namespace

TokenVerifier::TokenVerifier(KeySetCache* keys, const Clock* clock,
                             const std::shared_ptr<prometheus::Registry>& registry)
    : keys_(keys), clock_(clock), cache_(kCacheBytesMax) {
  auto& verifications = prometheus::BuildCounter()
                            .Name("entrepot_token_verifications_total")
                            .Help("Bearer tokens looked at: verified, known from before, or refused")
                            .Register(*registry);
  verified_ = &verifications.Add({{"result", "verified"}});
  cached_ = &verifications.Add({{"result", "cached"}});
  refused_ = &verifications.Add({{"result", "refused"}});
}

TokenVerifier::Token TokenVerifier::FindVerified(absl::string_view text, absl::Time now) {
  Token token = cache_.Find(text);
  if (token == nullptr || token->generation() != keys_->generation() || token->IsExpired(now)) return nullptr;
  cached_->Increment();
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
  // A key that is not among ours may be a new one: a fetch that is under way may bring it, one that begins now does.
  if (absl::IsNotFound(token.status())) {
    CO_ASSIGN_OR_RETURN(keys, co_await keys_->AwaitAnyFetch(call));
    token = VerifyWith(text, *keys);
  }
  if (absl::IsNotFound(token.status())) {
    CO_ASSIGN_OR_RETURN(keys, co_await keys_->AwaitFetch(call, next));
    token = VerifyWith(text, *keys);
  }
  if (absl::IsNotFound(token.status())) {
    co_return OciError(OciErrorCode::kUnauthorized, "the token was signed with a key that is not the registry's");
  }
  co_return token;
}

absl::StatusOr<TokenVerifier::Token> TokenVerifier::VerifyWith(absl::string_view text, const VerificationKeys& keys) {
  ASSIGN_OR_RETURN(const token::RegistryClaims claims,
                   token::VerifyRegistryToken(text, keys.keys, keys.expected, clock_->Now()));
  auto token = std::make_shared<const VerifiedToken>(claims, keys.generation);
  cache_.Insert(text, token);
  return token;
}

}  // namespace entrepot::gateway::api
