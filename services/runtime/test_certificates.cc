#include "services/runtime/test_certificates.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace entrepot::runtime {
namespace {

template <auto Free>
struct FreeWith {
  template <typename T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;
using Bio = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;

std::string Contents(BIO* bio) {
  char* data;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

std::string PemOf(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return Contents(bio.get());
}

std::string PemOf(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return Contents(bio.get());
}

void AddExtension(X509* certificate, int nid, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// No two certificates may be taken for each other.
long NextNumber() {
  static std::atomic<long> last{0};
  return ++last;
}

Certificate NewCertificate(EVP_PKEY* key, const std::string& name) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), NextNumber());
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 24 * 60 * 60);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

}  // namespace

struct TestCa::Parts {
  Key key{EVP_EC_gen("P-256")};
  Certificate certificate;
};

TestCa::TestCa() : parts_(std::make_unique<Parts>()) {
  parts_->certificate = NewCertificate(parts_->key.get(), absl::StrCat("test CA ", NextNumber()));
  X509* certificate = parts_->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  AddExtension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(certificate, NID_key_usage, "critical,keyCertSign");
  X509_sign(certificate, parts_->key.get(), EVP_sha256());
}

TestCa::~TestCa() = default;

std::string TestCa::Pem() const { return PemOf(parts_->certificate.get()); }

TestCa::Issued TestCa::Issue(const std::vector<std::string>& names) const {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate leaf = NewCertificate(key.get(), "leaf");
  X509_set_issuer_name(leaf.get(), X509_get_subject_name(parts_->certificate.get()));
  if (!names.empty()) AddExtension(leaf.get(), NID_subject_alt_name, absl::StrJoin(names, ","));
  X509_sign(leaf.get(), parts_->key.get(), EVP_sha256());
  return {PemOf(leaf.get()), PemOf(key.get())};
}

void ReplaceFile(const std::string& path, const std::string& contents) {
  std::ofstream(path + ".new") << contents;
  std::filesystem::rename(path + ".new", path);
}

}  // namespace entrepot::runtime
