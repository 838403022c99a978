#include "services/token/signing_key.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cstdlib>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "boost/json/object.hpp"
#include "services/status/status_macros.h"
#include "services/token/json_web_key.h"
#include "services/token/openssl_handles.h"

namespace entrepot::token {
namespace {

constexpr int kNumberBytes = 32;
constexpr unsigned kRsaBits = 3072;

EVP_PKEY* GenerateKey(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::kEs256:
      return EVP_EC_gen("P-256");
    case SignatureAlgorithm::kEdDsa:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    case SignatureAlgorithm::kRs256:
      return EVP_RSA_gen(kRsaBits);
  }
  std::abort();
}

// Encrypted files are not supported: there is no password.
int NoPassword(char*, int, int, void*) { return -1; }

std::string RawOfDer(absl::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const EcdsaSignature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (signature == nullptr) std::abort();
  std::string raw(2 * kNumberBytes, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(raw.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, kNumberBytes);
  BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + kNumberBytes, kNumberBytes);
  return raw;
}

}  // namespace

struct SigningKey::State {
  KeyHandle key;
  VerificationKey verification_key;

  static absl::StatusOr<std::shared_ptr<const State>> Of(KeyHandle key) {
    ASSIGN_OR_RETURN(const SignatureAlgorithm algorithm, AlgorithmOf(*key));
    ASSIGN_OR_RETURN(VerificationKey verification_key, VerificationKey::FromJwk(RequiredMembers(*key, algorithm)));
    return std::make_shared<const State>(State{std::move(key), std::move(verification_key)});
  }
};

SigningKey SigningKey::Generate(SignatureAlgorithm algorithm) {
  KeyHandle key(GenerateKey(algorithm));
  if (key == nullptr) std::abort();
  return SigningKey(State::Of(std::move(key)).value());
}

absl::StatusOr<SigningKey> SigningKey::FromPem(absl::string_view pem) {
  const ErrorQueueMark mark;
  const MemoryFile file(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  KeyHandle key(PEM_read_bio_PrivateKey(file.get(), nullptr, &NoPassword, nullptr));
  if (key == nullptr) return absl::InvalidArgumentError("not an unencrypted private key in PEM");
  ASSIGN_OR_RETURN(std::shared_ptr<const State> state, State::Of(std::move(key)));
  return SigningKey(std::move(state));
}

std::string SigningKey::ToPem() const {
  const MemoryFile file(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_PKCS8PrivateKey(file.get(), state_->key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    std::abort();
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(file.get(), &text);
  return std::string(text, size);
}

const std::string& SigningKey::kid() const { return state_->verification_key.kid(); }

SignatureAlgorithm SigningKey::algorithm() const { return state_->verification_key.algorithm(); }

VerificationKey SigningKey::verification_key() const { return state_->verification_key; }

std::string SigningKey::Sign(absl::string_view bytes) const {
  const char* const hash = algorithm() == SignatureAlgorithm::kEdDsa ? nullptr : "SHA256";
  const HashContext context(EVP_MD_CTX_new());
  std::string signature(EVP_PKEY_get_size(state_->key.get()), '\0');
  size_t size = signature.size();
  if (EVP_DigestSignInit_ex(context.get(), nullptr, hash, nullptr, nullptr, state_->key.get(), nullptr) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) != 1) {
    std::abort();
  }
  signature.resize(size);
  return algorithm() == SignatureAlgorithm::kEs256 ? RawOfDer(signature) : signature;
}

}  // namespace entrepot::token
