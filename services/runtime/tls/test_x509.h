#ifndef ENTREPOT_SERVICES_RUNTIME_TLS_TEST_X509_H_
#define ENTREPOT_SERVICES_RUNTIME_TLS_TEST_X509_H_

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

// OpenSSL keys and certificates for tests.
namespace entrepot::runtime {

template <auto Free>
struct FreeWith {
  template <typename T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using TestKey = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using TestCertificate = std::unique_ptr<X509, FreeWith<X509_free>>;

TestKey NewTestKey();

// A certificate for `common_name`, valid for a day from now, with a serial number of its own. Its issuer and signature
// are not set.
TestCertificate NewTestCertificate(EVP_PKEY* key, const std::string& common_name);

std::string PemOf(X509* certificate);
// Encrypted if there is a password.
std::string PemOf(EVP_PKEY* key, const std::string& password = "");

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_TLS_TEST_X509_H_
