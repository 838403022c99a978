#include "services/runtime/tls/test_certificates.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/runtime/tls/test_x509.h"

namespace entrepot::runtime {
namespace {

void AddExtension(X509* certificate, int nid, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Each authority has a name of its own, so that none is mistaken for another.
long NextNumber() {
  static std::atomic<long> last{0};
  return ++last;
}

}  // namespace

struct TestCa::Parts {
  TestKey key = NewTestKey();
  TestCertificate certificate;
};

TestCa::TestCa() : parts_(std::make_unique<Parts>()) {
  parts_->certificate = NewTestCertificate(parts_->key.get(), absl::StrCat("test CA ", NextNumber()));
  X509* certificate = parts_->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  AddExtension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(certificate, NID_key_usage, "critical,keyCertSign");
  X509_sign(certificate, parts_->key.get(), EVP_sha256());
}

TestCa::~TestCa() = default;

std::string TestCa::Pem() const { return PemOf(parts_->certificate.get()); }

TestCa::Issued TestCa::Issue(const std::vector<std::string>& names) const {
  const TestKey key = NewTestKey();
  const TestCertificate leaf = NewTestCertificate(key.get(), "leaf");
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
