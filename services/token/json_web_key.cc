#include "services/token/json_web_key.h"

#include <openssl/core_names.h>

#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "boost/json/array.hpp"
#include "boost/json/serialize.hpp"
#include "boost/json/string.hpp"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"
#include "services/token/base64url.h"

namespace entrepot::token {
namespace {

namespace json = boost::json;

constexpr int kCoordinateBytes = 32;
constexpr size_t kEd25519Bytes = 32;
constexpr int kRsaBitsMin = 2048;
constexpr int kRsaBitsMax = 8192;
constexpr int kRsaExponentBitsMax = 64;

absl::Status Malformed(absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat("the JSON Web Key ", problem));
}

absl::Status Unsupported(absl::string_view problem) {
  return absl::UnimplementedError(absl::StrCat("the JSON Web Key ", problem));
}

absl::string_view View(const json::string& text) { return absl::string_view(text.data(), text.size()); }

const json::value* Find(const json::object& object, absl::string_view name) {
  return object.if_contains(json::string_view(name.data(), name.size()));
}

absl::StatusOr<std::string> BytesMember(const json::object& jwk, absl::string_view name) {
  ASSIGN_OR_RETURN(const absl::string_view text, StringMember(jwk, name));
  std::optional<std::string> bytes = DecodeBase64Url(text);
  if (!bytes.has_value() || bytes->empty())
    return Malformed(absl::StrCat("has a member ", name, " that is not base64url"));
  return *std::move(bytes);
}

const unsigned char* Bytes(absl::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

BigNumber NumberParameter(const EVP_PKEY& key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(&key, name, &number) != 1) std::abort();
  return BigNumber(number);
}

// At least one byte, and exactly `width` bytes if there is a width.
std::string BigEndian(const BIGNUM& number, int width) {
  std::string bytes(width, '\0');
  if (BN_bn2binpad(&number, reinterpret_cast<unsigned char*>(bytes.data()), width) != width) std::abort();
  return bytes;
}

std::string EncodeNumber(const BIGNUM& number, int width) { return EncodeBase64Url(BigEndian(number, width)); }

std::string Ed25519Bytes(const EVP_PKEY& key) {
  std::string bytes(kEd25519Bytes, '\0');
  size_t size = bytes.size();
  if (EVP_PKEY_get_raw_public_key(&key, reinterpret_cast<unsigned char*>(bytes.data()), &size) != 1) std::abort();
  return bytes;
}

// Null if the parameters are not a valid key.
KeyHandle KeyFromParameters(const char* type, OSSL_PARAM_BLD* builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  if (parameters == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1) std::abort();
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) return nullptr;
  return KeyHandle(key);
}

absl::StatusOr<KeyHandle> ReadEcKey(const json::object& jwk) {
  ASSIGN_OR_RETURN(const absl::string_view curve, StringMember(jwk, "crv"));
  if (curve != "P-256") return Unsupported(absl::StrCat("is on the curve ", QuotedInput(curve), ", not P-256"));
  ASSIGN_OR_RETURN(const std::string x, BytesMember(jwk, "x"));
  ASSIGN_OR_RETURN(const std::string y, BytesMember(jwk, "y"));
  if (x.size() != kCoordinateBytes || y.size() != kCoordinateBytes) return Malformed("has coordinates of a wrong size");
  const std::string point = absl::StrCat("\x04", x, y);
  const ParametersBuilder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  KeyHandle key = KeyFromParameters("EC", builder.get());
  const KeyContext context(key == nullptr ? nullptr : EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (context == nullptr || EVP_PKEY_public_check(context.get()) != 1) return Malformed("is not a point on P-256");
  return key;
}

absl::StatusOr<KeyHandle> ReadOctetKeyPair(const json::object& jwk) {
  ASSIGN_OR_RETURN(const absl::string_view curve, StringMember(jwk, "crv"));
  if (curve != "Ed25519") return Unsupported(absl::StrCat("is on the curve ", QuotedInput(curve), ", not Ed25519"));
  ASSIGN_OR_RETURN(const std::string x, BytesMember(jwk, "x"));
  if (x.size() != kEd25519Bytes) return Malformed("has an x of a wrong size");
  return KeyHandle(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(x), x.size()));
}

absl::StatusOr<KeyHandle> ReadRsaKey(const json::object& jwk) {
  ASSIGN_OR_RETURN(const std::string modulus, BytesMember(jwk, "n"));
  ASSIGN_OR_RETURN(const std::string exponent, BytesMember(jwk, "e"));
  // Checked before any arithmetic, whose cost grows with the size.
  if (modulus.size() > kRsaBitsMax / 8 || exponent.size() > kRsaExponentBitsMax / 8) return Malformed("is too large");
  const BigNumber n(BN_bin2bn(Bytes(modulus), static_cast<int>(modulus.size()), nullptr));
  const BigNumber e(BN_bin2bn(Bytes(exponent), static_cast<int>(exponent.size()), nullptr));
  if (BN_num_bits(n.get()) < kRsaBitsMin) {
    return Malformed(absl::StrCat("has ", BN_num_bits(n.get()), " bits, less than ", kRsaBitsMin));
  }
  if (BN_is_odd(n.get()) == 0 || BN_is_odd(e.get()) == 0 || BN_is_one(e.get()) != 0)
    return Malformed("is not an RSA key");
  const ParametersBuilder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  KeyHandle key = KeyFromParameters("RSA", builder.get());
  if (key == nullptr) return Malformed("is not an RSA key");
  return key;
}

absl::StatusOr<KeyHandle> ReadHandle(const json::object& jwk) {
  ASSIGN_OR_RETURN(const absl::string_view type, StringMember(jwk, "kty"));
  if (type == "EC") return ReadEcKey(jwk);
  if (type == "OKP") return ReadOctetKeyPair(jwk);
  if (type == "RSA") return ReadRsaKey(jwk);
  return Unsupported(absl::StrCat("has the type ", QuotedInput(type), ", not EC, OKP or RSA"));
}

absl::Status CheckUse(const json::object& jwk) {
  if (Find(jwk, "use") != nullptr) {
    ASSIGN_OR_RETURN(const absl::string_view use, StringMember(jwk, "use"));
    if (use != "sig") return Unsupported("is not for signatures");
  }
  const json::value* const operations = Find(jwk, "key_ops");
  if (operations == nullptr) return absl::OkStatus();
  if (!operations->is_array()) return Malformed("has a member key_ops that is not an array");
  for (const json::value& operation : operations->get_array()) {
    if (operation.is_string() && operation.get_string() == "verify") return absl::OkStatus();
  }
  return Unsupported("is not for verification");
}

absl::Status CheckAlgorithm(const json::object& jwk, SignatureAlgorithm algorithm) {
  if (Find(jwk, "alg") == nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(const absl::string_view name, StringMember(jwk, "alg"));
  if (name == ToString(algorithm)) return absl::OkStatus();
  return Unsupported(absl::StrCat("is for ", QuotedInput(name), ", not ", ToString(algorithm)));
}

}  // namespace

absl::StatusOr<absl::string_view> StringMember(const json::object& jwk, absl::string_view name) {
  const json::value* const value = Find(jwk, name);
  if (value == nullptr) return Malformed(absl::StrCat("has no member ", name));
  if (!value->is_string()) return Malformed(absl::StrCat("has a member ", name, " that is not a string"));
  return View(value->get_string());
}

absl::StatusOr<SignatureAlgorithm> AlgorithmOf(const EVP_PKEY& key) {
  if (EVP_PKEY_is_a(&key, "ED25519") == 1) return SignatureAlgorithm::kEdDsa;
  if (EVP_PKEY_is_a(&key, "RSA") == 1) {
    const int bits = EVP_PKEY_get_bits(&key);
    if (kRsaBitsMin <= bits && bits <= kRsaBitsMax) return SignatureAlgorithm::kRs256;
    return absl::InvalidArgumentError(
        absl::StrCat("an RSA key of ", bits, " bits, not ", kRsaBitsMin, " to ", kRsaBitsMax));
  }
  char group[32] = "";
  if (EVP_PKEY_is_a(&key, "EC") == 1 && EVP_PKEY_get_group_name(&key, group, sizeof(group), nullptr) == 1 &&
      absl::string_view(group) == "prime256v1") {
    return SignatureAlgorithm::kEs256;
  }
  return absl::InvalidArgumentError("a key of another type than P-256, Ed25519 and RSA");
}

json::object RequiredMembers(const EVP_PKEY& key, SignatureAlgorithm algorithm) {
  // In the order that the thumbprint needs.
  switch (algorithm) {
    case SignatureAlgorithm::kEs256:
      return {{"crv", "P-256"},
              {"kty", "EC"},
              {"x", EncodeNumber(*NumberParameter(key, OSSL_PKEY_PARAM_EC_PUB_X), kCoordinateBytes)},
              {"y", EncodeNumber(*NumberParameter(key, OSSL_PKEY_PARAM_EC_PUB_Y), kCoordinateBytes)}};
    case SignatureAlgorithm::kEdDsa:
      return {{"crv", "Ed25519"}, {"kty", "OKP"}, {"x", EncodeBase64Url(Ed25519Bytes(key))}};
    case SignatureAlgorithm::kRs256: {
      const BigNumber e = NumberParameter(key, OSSL_PKEY_PARAM_RSA_E);
      const BigNumber n = NumberParameter(key, OSSL_PKEY_PARAM_RSA_N);
      return {{"e", EncodeNumber(*e, BN_num_bytes(e.get()))},
              {"kty", "RSA"},
              {"n", EncodeNumber(*n, BN_num_bytes(n.get()))}};
    }
  }
  std::abort();
}

std::string Thumbprint(const json::object& required_members) {
  const std::string text = json::serialize(required_members);
  std::string hash(EVP_MAX_MD_SIZE, '\0');
  size_t size = 0;
  if (EVP_Q_digest(nullptr, "SHA256", nullptr, text.data(), text.size(), reinterpret_cast<unsigned char*>(hash.data()),
                   &size) != 1) {
    std::abort();
  }
  hash.resize(size);
  return EncodeBase64Url(hash);
}

absl::StatusOr<PublicKey> ReadPublicKey(const json::object& jwk) {
  const ErrorQueueMark mark;
  if (Find(jwk, "d") != nullptr) return Malformed("is a private key, which must not be published");
  RETURN_IF_ERROR(CheckUse(jwk));
  ASSIGN_OR_RETURN(KeyHandle handle, ReadHandle(jwk));
  if (handle == nullptr) return Malformed("is not a key");
  ASSIGN_OR_RETURN(const SignatureAlgorithm algorithm, AlgorithmOf(*handle));
  RETURN_IF_ERROR(CheckAlgorithm(jwk, algorithm));
  return PublicKey{.handle = std::move(handle), .algorithm = algorithm};
}

}  // namespace entrepot::token
