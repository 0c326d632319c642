"""Nationalities by the codes of ISO 3166-1 alpha-3, as passports print them: a code and nothing else can be stored."""

from __future__ import annotations

from backend.domain.documents import RESIDENT_ID
from backend.domain.refusals import Refusal

CHINA = "CHN"
# ISO 3166-1 alpha-3, 249 codes
_COUNTRIES = """
    ABW AFG AGO AIA ALA ALB AND ARE ARG ARM ASM ATA ATF ATG AUS AUT AZE BDI BEL BEN BES BFA BGD BGR BHR BHS BIH
    BLM BLR BLZ BMU BOL BRA BRB BRN BTN BVT BWA CAF CAN CCK CHE CHL CHN CIV CMR COD COG COK COL COM CPV CRI CUB
    CUW CXR CYM CYP CZE DEU DJI DMA DNK DOM DZA ECU EGY ERI ESH ESP EST ETH FIN FJI FLK FRA FRO FSM GAB GBR GEO
    GGY GHA GIB GIN GLP GMB GNB GNQ GRC GRD GRL GTM GUF GUM GUY HKG HMD HND HRV HTI HUN IDN IMN IND IOT IRL IRN IRQ
    ISL ISR ITA JAM JEY JOR JPN KAZ KEN KGZ KHM KIR KNA KOR KWT LAO LBN LBR LBY LCA LIE LKA LSO LTU LUX LVA MAC
    MAF MAR MCO MDA MDG MDV MEX MHL MKD MLI MLT MMR MNE MNG MNP MOZ MRT MSR MTQ MUS MWI MYS MYT NAM NCL NER NFK
    NGA NIC NIU NLD NOR NPL NRU NZL OMN PAK PAN PCN PER PHL PLW PNG POL PRI PRK PRT PRY PSE PYF QAT REU ROU RUS
    RWA SAU SDN SEN SGP SGS SHN SJM SLB SLE SLV SMR SOM SPM SRB SSD STP SUR SVK SVN SWE SWZ SXM SYC SYR TCA TCD
    TGO THA TJK TKL TKM TLS TON TTO TUN TUR TUV TWN TZA UGA UKR UMI URY USA UZB VAT VCT VEN VGB VIR VNM VUT WLF
    WSM YEM ZAF ZMB ZWE
"""
_WITHOUT_ONE = "XXA XXB XXC XXX"  # ICAO Doc 9303 part 3: stateless, two kinds of refugees, unspecified
NATIONALITIES = frozenset(f"{_COUNTRIES} {_WITHOUT_ONE}".split())


def decide_nationality(id_type: str, nationality: str | None) -> str | Refusal:
    """The code of a nationality as it was typed; a resident identity card (111) is China's, whatever was typed."""
    code = (nationality or "").strip().upper()
    if id_type == RESIDENT_ID or not code:
        return CHINA
    if code in NATIONALITIES:
        return code
    return Refusal("input.wrong_type", "nationality", {"expected": "ISO 3166-1: DEU"})
