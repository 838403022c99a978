#include "services/runtime/tls/certificate_pair.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <ctime>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "boost/asio/buffer.hpp"

namespace entrepot::runtime {
namespace {

namespace ssl = boost::asio::ssl;

absl::Status Unusable(const std::string& path, absl::string_view what, const boost::system::error_code& error) {
  return absl::InvalidArgumentError(absl::StrCat(path, " ", what, ": ", error.message()));
}

}  // namespace

absl::Status UseCertificatePair(const CertificatePair& pair, ssl::context* context) {
  // Otherwise OpenSSL would ask the terminal for the password of an encrypted key.
  SSL_CTX_set_default_passwd_cb(context->native_handle(), [](char*, int, int, void*) { return 0; });
  boost::system::error_code error;
  ERR_clear_error();
  context->use_certificate_chain(boost::asio::buffer(pair.certificate), error);
  if (error) return Unusable(pair.certificate_file, "contains no usable PEM certificate", error);
  context->use_private_key(boost::asio::buffer(pair.private_key), ssl::context::pem, error);
  if (error && SSL_CTX_get0_certificate(context->native_handle()) != nullptr &&
      ERR_GET_REASON(static_cast<unsigned long>(error.value())) == X509_R_KEY_VALUES_MISMATCH) {
    return absl::InvalidArgumentError(
        absl::StrCat(pair.private_key_file, " is not the key of the certificate in ", pair.certificate_file));
  }
  if (error) return Unusable(pair.private_key_file, "contains no usable PEM private key (without a password)", error);
  return absl::OkStatus();
}

double ExpirySeconds(ssl::context& context) {
  const X509* leaf = SSL_CTX_get0_certificate(context.native_handle());
  std::tm expiry{};
  ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &expiry);
  return static_cast<double>(timegm(&expiry));
}

}  // namespace entrepot::runtime
