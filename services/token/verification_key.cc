#include "services/token/verification_key.h"

#include <cstdlib>
#include <optional>

#include "absl/strings/str_cat.h"
#include "boost/json/string.hpp"
#include "services/status/status_macros.h"
#include "services/token/json_web_key.h"
#include "services/token/openssl_handles.h"

namespace entrepot::token {
namespace {

namespace json = boost::json;

constexpr size_t kNumberBytes = 32;
constexpr size_t kKidBytesMax = 256;

const unsigned char* Bytes(absl::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// The signature in the format that OpenSSL needs: DER for ES256. nullopt if its size is not that of R || S.
std::optional<std::string> DerOfRaw(absl::string_view raw) {
  if (raw.size() != 2 * kNumberBytes) return std::nullopt;
  BigNumber r(BN_bin2bn(Bytes(raw), kNumberBytes, nullptr));
  BigNumber s(BN_bin2bn(Bytes(raw) + kNumberBytes, kNumberBytes, nullptr));
  const EcdsaSignature signature(ECDSA_SIG_new());
  if (ECDSA_SIG_set0(signature.get(), r.release(), s.release()) != 1) std::abort();
  std::string der(i2d_ECDSA_SIG(signature.get(), nullptr), '\0');
  auto* at = reinterpret_cast<unsigned char*>(der.data());
  i2d_ECDSA_SIG(signature.get(), &at);
  return der;
}

// Initialised once and then copied: the look-up of algorithms by name costs more than the copy.
HashContext Verifier(EVP_PKEY* key, SignatureAlgorithm algorithm) {
  HashContext context(EVP_MD_CTX_new());
  const char* const hash = algorithm == SignatureAlgorithm::kEdDsa ? nullptr : "SHA256";
  if (EVP_DigestVerifyInit_ex(context.get(), nullptr, hash, nullptr, nullptr, key, nullptr) != 1) std::abort();
  return context;
}

absl::StatusOr<std::string> KidOf(const json::object& jwk, const json::object& required_members) {
  if (!jwk.contains("kid")) return Thumbprint(required_members);
  ASSIGN_OR_RETURN(const absl::string_view kid, StringMember(jwk, "kid"));
  if (kid.empty() || kid.size() > kKidBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("the JSON Web Key has a kid of ", kid.size(), " bytes"));
  }
  return std::string(kid);
}

}  // namespace

struct VerificationKey::State {
  KeyHandle key;
  SignatureAlgorithm algorithm;
  json::object required_members;
  std::string kid;
  HashContext verifier;
};

absl::StatusOr<VerificationKey> VerificationKey::FromJwk(const json::object& jwk) {
  ASSIGN_OR_RETURN(PublicKey key, ReadPublicKey(jwk));
  auto state = std::make_shared<State>();
  state->key = std::move(key.handle);
  state->algorithm = key.algorithm;
  state->required_members = RequiredMembers(*state->key, state->algorithm);
  ASSIGN_OR_RETURN(state->kid, KidOf(jwk, state->required_members));
  state->verifier = Verifier(state->key.get(), state->algorithm);
  return VerificationKey(std::move(state));
}

json::object VerificationKey::ToJwk() const {
  json::object jwk = state_->required_members;
  const absl::string_view algorithm = token::ToString(state_->algorithm);
  jwk["alg"] = json::string_view(algorithm.data(), algorithm.size());
  jwk["kid"] = state_->kid;
  jwk["use"] = "sig";
  return jwk;
}

const std::string& VerificationKey::kid() const { return state_->kid; }

SignatureAlgorithm VerificationKey::algorithm() const { return state_->algorithm; }

bool VerificationKey::Verify(absl::string_view bytes, absl::string_view signature) const {
  const ErrorQueueMark mark;
  std::optional<std::string> der;
  if (state_->algorithm == SignatureAlgorithm::kEs256) {
    der = DerOfRaw(signature);
    if (!der.has_value()) return false;
    signature = *der;
  }
  const HashContext context(EVP_MD_CTX_new());
  if (EVP_MD_CTX_copy_ex(context.get(), state_->verifier.get()) != 1) std::abort();
  return EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(bytes), bytes.size()) == 1;
}

}  // namespace entrepot::token
