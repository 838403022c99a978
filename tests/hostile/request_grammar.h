#ifndef ENTREPOT_TESTS_HOSTILE_REQUEST_GRAMMAR_H_
#define ENTREPOT_TESTS_HOSTILE_REQUEST_GRAMMAR_H_

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace entrepot::tests {

struct GeneratedRequest {
  std::string method;
  std::string bytes;
  // Whether `bytes` may end before what they promise does: then nothing else can follow on the connection.
  bool may_be_incomplete = false;
};

// Requests to a registry, drawn from a grammar of good, nearly good and bad parts: real routes with odd names, digests
// and sessions, fields that contradict each other, bodies that are not what they say. The same seed gives the same
// requests, but for sessions learnt from the registry. Not thread-safe.
class RequestGrammar {
 public:
  explicit RequestGrammar(uint64_t seed) : random_(seed) {}

  GeneratedRequest Next();
  // An upload's Location, to be used by later requests.
  void LearnLocation(absl::string_view location);

 private:
  bool Chance(double probability);
  size_t Below(size_t bound);
  template <size_t N>
  std::string Pick(const char* const (&choices)[N]) {
    return choices[Below(N)];
  }
  std::string RandomBytes(size_t count);

  std::string Name();
  std::string TagText();
  std::string DigestText();
  std::string Number();
  std::string Target();
  std::string Query();
  std::string UploadTarget();
  std::string Body();
  std::string ManifestBody();
  std::string Fields();
  // Framing fields and body; says whether the two may disagree.
  bool AppendBody(const std::string& body, std::string* request);

  std::mt19937_64 random_;
  std::vector<std::string> locations_;
};

}  // namespace entrepot::tests

#endif  // ENTREPOT_TESTS_HOSTILE_REQUEST_GRAMMAR_H_
