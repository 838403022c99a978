#include "services/runtime/tls/test_x509.h"

#include <openssl/bio.h>
#include <openssl/pem.h>

#include <atomic>

namespace entrepot::runtime {
namespace {

using Bio = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;

std::string Contents(BIO* bio) {
  char* data;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

long NextNumber() {
  static std::atomic<long> last{0};
  return ++last;
}

}  // namespace

TestKey NewTestKey() { return TestKey(EVP_EC_gen("P-256")); }

TestCertificate NewTestCertificate(EVP_PKEY* key, const std::string& common_name) {
  TestCertificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), NextNumber());
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 24 * 60 * 60);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

std::string PemOf(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return Contents(bio.get());
}

std::string PemOf(EVP_PKEY* key, const std::string& password) {
  const Bio bio(BIO_new(BIO_s_mem()));
  const bool encrypted = !password.empty();
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, encrypted ? EVP_aes_128_cbc() : nullptr,
                                encrypted ? password.c_str() : nullptr, static_cast<int>(password.size()), nullptr,
                                nullptr);
  return Contents(bio.get());
}

}  // namespace entrepot::runtime
