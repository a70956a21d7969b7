// Names of subdivisions as databases without ISO 3166-2 codes write them, for the countries that are steered by subdivision most.
import { foldName } from './place.ts';

/** A country, then code and name of each subdivision; other names in use after `/`. */
const TABLE = `
US: AL Alabama, AK Alaska, AZ Arizona, AR Arkansas, CA California, CO Colorado, CT Connecticut, DE Delaware, FL Florida, GA Georgia,
HI Hawaii, ID Idaho, IL Illinois, IN Indiana, IA Iowa, KS Kansas, KY Kentucky, LA Louisiana, ME Maine, MD Maryland, MA Massachusetts,
MI Michigan, MN Minnesota, MS Mississippi, MO Missouri, MT Montana, NE Nebraska, NV Nevada, NH New Hampshire, NJ New Jersey, NM New Mexico,
NY New York, NC North Carolina, ND North Dakota, OH Ohio, OK Oklahoma, OR Oregon, PA Pennsylvania, RI Rhode Island, SC South Carolina,
SD South Dakota, TN Tennessee, TX Texas, UT Utah, VT Vermont, VA Virginia, WA Washington, WV West Virginia, WI Wisconsin, WY Wyoming,
DC District of Columbia/Washington D.C.
CA: AB Alberta, BC British Columbia, MB Manitoba, NB New Brunswick, NL Newfoundland and Labrador, NS Nova Scotia, NT Northwest Territories,
NU Nunavut, ON Ontario, PE Prince Edward Island, QC Quebec, SK Saskatchewan, YT Yukon/Yukon Territory
AU: ACT Australian Capital Territory, NSW New South Wales, NT Northern Territory, QLD Queensland, SA South Australia, TAS Tasmania,
VIC Victoria, WA Western Australia
GB: ENG England, NIR Northern Ireland, SCT Scotland, WLS Wales
IE: C Connacht/Connaught, L Leinster, M Munster, U Ulster
DE: BW Baden-Württemberg/Baden-Wurttemberg, BY Bavaria/Bayern, BE Berlin/Land Berlin/State of Berlin, BB Brandenburg, HB Bremen,
HH Hamburg/Free and Hanseatic City of Hamburg, HE Hesse/Hessen, MV Mecklenburg-Vorpommern/Mecklenburg-Western Pomerania,
NI Lower Saxony/Niedersachsen, NW North Rhine-Westphalia/Nordrhein-Westfalen, RP Rhineland-Palatinate/Rheinland-Pfalz, SL Saarland,
SN Saxony/Sachsen, ST Saxony-Anhalt/Sachsen-Anhalt, SH Schleswig-Holstein, TH Thuringia/Thüringen
AT: 1 Burgenland, 2 Carinthia/Kärnten, 3 Lower Austria/Niederösterreich, 4 Upper Austria/Oberösterreich, 5 Salzburg, 6 Styria/Steiermark,
7 Tyrol/Tirol, 8 Vorarlberg, 9 Vienna/Wien
CH: AG Aargau, AI Appenzell Innerrhoden, AR Appenzell Ausserrhoden, BE Bern, BL Basel-Landschaft/Basel-Country, BS Basel-Stadt/Basel-City,
FR Fribourg, GE Geneva/Genève, GL Glarus, GR Grisons/Graubünden, JU Jura, LU Lucerne/Luzern, NE Neuchâtel, NW Nidwalden, OW Obwalden,
SG St. Gallen/Saint Gallen, SH Schaffhausen, SO Solothurn, SZ Schwyz, TG Thurgau, TI Ticino, UR Uri, VD Vaud, VS Valais, ZG Zug, ZH Zurich/Zürich
FR: ARA Auvergne-Rhône-Alpes, BFC Bourgogne-Franche-Comté, BRE Brittany/Bretagne, CVL Centre-Val de Loire, 20R Corsica/Corse,
GES Grand Est, HDF Hauts-de-France, IDF Île-de-France, NOR Normandy/Normandie, NAQ Nouvelle-Aquitaine, OCC Occitanie/Occitania,
PDL Pays de la Loire, PAC Provence-Alpes-Côte d'Azur
IT: 21 Piedmont/Piemonte, 23 Aosta Valley/Valle d'Aosta, 25 Lombardy/Lombardia, 32 Trentino-Alto Adige/Trentino-South Tyrol, 34 Veneto,
36 Friuli Venezia Giulia/Friuli-Venezia Giulia, 42 Liguria, 45 Emilia-Romagna, 52 Tuscany/Toscana, 55 Umbria, 57 Marche/The Marches,
62 Lazio/Latium, 65 Abruzzo, 67 Molise, 72 Campania, 75 Apulia/Puglia, 77 Basilicate/Basilicata, 78 Calabria, 82 Sicily/Sicilia, 88 Sardinia/Sardegna
ES: AN Andalusia/Andalucía, AR Aragon/Aragón, AS Asturias, CN Canary Islands/Canarias, CB Cantabria, CM Castilla-La Mancha/Castille-La Mancha,
CL Castille and León/Castilla y León/Castile and León, CT Catalonia/Catalunya/Cataluña, CE Ceuta, EX Extremadura, GA Galicia,
IB Balearic Islands/Balearics/Illes Balears, RI La Rioja, MD Madrid/Community of Madrid, ML Melilla, MC Murcia/Region of Murcia, NC Navarre/Navarra,
PV Basque Country/Euskadi/País Vasco, VC Valencia/Valencian Community
PT: 01 Aveiro, 02 Beja, 03 Braga, 04 Bragança, 05 Castelo Branco, 06 Coimbra, 07 Évora, 08 Faro, 09 Guarda, 10 Leiria, 11 Lisbon/Lisboa,
12 Portalegre, 13 Porto, 14 Santarém, 15 Setúbal, 16 Viana do Castelo, 17 Vila Real, 18 Viseu, 20 Azores/Açores, 30 Madeira
NL: DR Drenthe, FL Flevoland, FR Friesland/Fryslân, GE Gelderland, GR Groningen, LI Limburg, NB North Brabant/Noord-Brabant,
NH North Holland/Noord-Holland, OV Overijssel, UT Utrecht, ZE Zeeland, ZH South Holland/Zuid-Holland
BE: BRU Brussels Capital/Brussels-Capital/Brussels, VLG Flanders/Flemish Region, WAL Wallonia/Walloon Region
PL: 02 Lower Silesia/Dolnośląskie/Lower Silesian, 04 Kujawsko-Pomorskie/Kuyavian-Pomeranian, 06 Lublin/Lubelskie, 08 Lubusz/Lubuskie,
10 Łódź Voivodeship/Lodz/Łódzkie, 12 Lesser Poland/Małopolskie, 14 Mazovia/Mazowieckie/Masovian, 16 Opole Voivodeship/Opole/Opolskie,
18 Subcarpathia/Podkarpackie, 20 Podlasie/Podlaskie, 22 Pomerania/Pomorskie/Pomeranian, 24 Silesia/Śląskie/Silesian,
26 Świętokrzyskie/Swietokrzyskie, 28 Warmia-Masuria/Warmińsko-Mazurskie, 30 Greater Poland/Wielkopolskie, 32 West Pomerania/Zachodniopomorskie
RU: AD Adygeya Republic/Adygea, AL Altai/Altai Republic, ALT Altai Krai/Altay Kray, AMU Amur Oblast/Amurskaya Oblast, ARK Arkhangelskaya/Arkhangelsk Oblast,
AST Astrakhan Oblast/Astrakhan, BA Bashkortostan Republic/Bashkortostan, BEL Belgorod Oblast/Belgorod, BRY Bryansk Oblast/Bryansk, BU Buryatiya Republic/Buryatia,
CE Chechnya/Chechen Republic, CHE Chelyabinsk/Chelyabinsk Oblast, CHU Chukotka/Chukotskiy Avtonomnyy Okrug, CU Chuvash Republic/Chuvashia, DA Dagestan,
IN Ingushetiya Republic/Ingushetia, IRK Irkutsk Oblast/Irkutsk, IVA Ivanovo Oblast/Ivanovo, KAM Kamchatka/Kamchatka Krai, KB Kabardino-Balkariya Republic/Kabardino-Balkaria,
KC Karachayevo-Cherkesiya Republic/Karachay-Cherkessia, KDA Krasnodar Krai/Krasnodarskiy, KEM Kuzbass/Kemerovo Oblast, KGD Kaliningrad/Kaliningrad Oblast,
KGN Kurgan Oblast/Kurgan, KHA Khabarovsk/Khabarovsk Krai, KHM Khanty-Mansia/Khanty-Mansi Autonomous Okrug, KIR Kirov Oblast, KK Khakasiya Republic/Khakassia,
KL Kalmykiya Republic/Kalmykia, KLU Kaluga Oblast/Kaluga, KO Komi/Komi Republic, KOS Kostroma Oblast/Kostroma, KR Karelia/Republic of Karelia, KRS Kursk Oblast/Kursk,
KYA Krasnoyarsk Krai/Krasnoyarskiy, LEN Leningradskaya Oblast'/Leningrad Oblast, LIP Lipetsk Oblast/Lipetsk, MAG Magadan Oblast/Magadan, ME Mariy-El Republic/Mari El,
MO Mordoviya Republic/Mordovia, MOS Moscow Oblast, MOW Moscow, MUR Murmansk/Murmansk Oblast, NEN Nenets/Nenets Autonomous Okrug,
NGR Novgorod Oblast/Novgorod, NIZ Nizhny Novgorod Oblast/Nizhny Novgorod, NVS Novosibirsk Oblast/Novosibirsk, OMS Omsk Oblast/Omsk,
ORE Orenburg Oblast/Orenburg, ORL Oryol oblast/Oryol Oblast, PER Perm Krai/Perm, PNZ Penza Oblast/Penza, PRI Primorye/Primorskiy (Maritime) Kray/Primorsky Krai,
PSK Pskov Oblast/Pskov, ROS Rostov/Rostov Oblast, RYA Ryazan Oblast/Ryazan, SA Sakha/Sakha Republic/Yakutia, SAK Sakhalin Oblast/Sakhalin,
SAM Samara Oblast/Samara, SAR Saratov Oblast/Saratov, SE North Ossetia–Alania/North Ossetia, SMO Smolensk Oblast/Smolensk,
SPE St.-Petersburg/Saint Petersburg/St Petersburg, STA Stavropol Kray/Stavropol Krai, SVE Sverdlovsk Oblast/Sverdlovsk, TA Tatarstan/Tatarstan Republic,
TAM Tambov Oblast/Tambov, TOM Tomsk Oblast/Tomsk, TUL Tula Oblast/Tula, TVE Tver Oblast/Tver, TY Tyva Republic/Republic of Tyva, TYU Tyumen Oblast/Tyumen,
UD Udmurtiya Republic/Udmurtia, ULY Ulyanovsk/Ulyanovsk Oblast, VGG Volgograd Oblast/Volgograd, VLA Vladimir Oblast/Vladimir,
VLG Vologda Oblast/Vologda, VOR Voronezh Oblast/Voronezh, YAN Yamalo-Nenets/Yamalo-Nenets Autonomous Okrug, YAR Yaroslavl Oblast/Yaroslavl,
YEV Jewish Autonomous Oblast, ZAB Transbaikal Territory/Zabaykalsky Krai
UA: 05 Vinnytsia/Vinnytsia Oblast, 07 Volyn/Volyn Oblast, 09 Luhansk/Luhansk Oblast, 12 Dnipropetrovsk Oblast/Dnipropetrovsk, 14 Donetsk/Donetsk Oblast,
18 Zhytomyr/Zhytomyr Oblast, 21 Zakarpattia/Transcarpathia/Zakarpattia Oblast, 23 Zaporizhzhia/Zaporizhzhya Oblast/Zaporizhzhia Oblast,
26 Ivano-Frankivsk/Ivano-Frankivsk Oblast, 30 Kyiv City/Kyiv, 32 Kyiv Oblast, 35 Kirovohrad/Kirovohrad Oblast, 46 Lviv/Lviv Oblast,
48 Mykolaiv/Mykolaiv Oblast, 51 Odesa/Odessa/Odesa Oblast, 53 Poltava Oblast/Poltava, 56 Rivne/Rivne Oblast, 59 Sumy/Sumy Oblast,
61 Ternopil Oblast/Ternopil, 63 Kharkivs'ka Oblast'/Kharkiv/Kharkiv Oblast, 65 Kherson Oblast/Kherson, 68 Khmelnytskyi/Khmelnytskyi Oblast,
71 Cherkasy Oblast/Cherkasy, 74 Chernihiv/Chernihiv Oblast, 77 Chernivtsi/Chernivtsi Oblast, 43 Crimea, 40 Sevastopol City/Sevastopol
BR: AC Acre, AL Alagoas, AM Amazonas, AP Amapá, BA Bahia, CE Ceará, DF Federal District/Distrito Federal, ES Espírito Santo, GO Goiás,
MA Maranhão, MG Minas Gerais, MS Mato Grosso do Sul, MT Mato Grosso, PA Pará, PB Paraíba, PE Pernambuco, PI Piauí, PR Paraná,
RJ Rio de Janeiro, RN Rio Grande do Norte, RO Rondônia, RR Roraima, RS Rio Grande do Sul, SC Santa Catarina, SE Sergipe, SP São Paulo, TO Tocantins
MX: AGU Aguascalientes, BCN Baja California, BCS Baja California Sur, CAM Campeche, CHH Chihuahua, CHP Chiapas, CMX Mexico City/Ciudad de México,
COA Coahuila, COL Colima, DUR Durango, GRO Guerrero, GUA Guanajuato, HID Hidalgo, JAL Jalisco, MEX México/State of Mexico/Estado de México, MIC Michoacán,
MOR Morelos, NAY Nayarit, NLE Nuevo León, OAX Oaxaca, PUE Puebla, QUE Querétaro, ROO Quintana Roo, SIN Sinaloa, SLP San Luis Potosí,
SON Sonora, TAB Tabasco, TAM Tamaulipas, TLA Tlaxcala, VER Veracruz, YUC Yucatán, ZAC Zacatecas
AR: A Salta, B Buenos Aires/Buenos Aires Province, C Buenos Aires F.D./Ciudad Autónoma de Buenos Aires/Autonomous City of Buenos Aires, D San Luis, E Entre Rios/Entre Ríos,
F La Rioja, G Santiago del Estero, H Chaco, J San Juan, K Catamarca, L La Pampa, M Mendoza, N Misiones, P Formosa, Q Neuquén, R Río Negro,
S Santa Fe, T Tucumán, U Chubut, V Tierra del Fuego, W Corrientes, X Córdoba, Y Jujuy, Z Santa Cruz
IN: AN Andaman and Nicobar Islands/Andaman and Nicobar, AP Andhra Pradesh, AR Arunachal Pradesh, AS Assam, BR Bihar, CH Chandigarh, CG Chhattisgarh,
DL National Capital Territory of Delhi/Delhi, GA Goa, GJ Gujarat, HP Himachal Pradesh, HR Haryana, JH Jharkhand, JK Jammu and Kashmir, KA Karnataka,
KL Kerala, LA Ladakh, LD Lakshadweep, MH Maharashtra, ML Meghalaya, MN Manipur, MP Madhya Pradesh, MZ Mizoram, NL Nagaland, OD Odisha, PB Punjab,
PY Puducherry, RJ Rajasthan, SK Sikkim, TN Tamil Nadu, TS Telangana, TR Tripura, UK Uttarakhand, UP Uttar Pradesh, WB West Bengal
CN: AH Anhui, BJ Beijing, CQ Chongqing, FJ Fujian, GD Guangdong, GS Gansu, GX Guangxi, GZ Guizhou, HA Henan, HB Hubei, HE Hebei, HI Hainan,
HL Heilongjiang, HN Hunan, JL Jilin, JS Jiangsu, JX Jiangxi, LN Liaoning, NM Inner Mongolia/Nei Mongol, NX Ningxia, QH Qinghai, SC Sichuan,
SD Shandong, SH Shanghai, SN Shaanxi, SX Shanxi, TJ Tianjin, XJ Xinjiang, XZ Tibet/Xizang, YN Yunnan, ZJ Zhejiang
JP: 01 Hokkaido/Hokkaidō, 02 Aomori, 03 Iwate, 04 Miyagi, 05 Akita, 06 Yamagata, 07 Fukushima, 08 Ibaraki, 09 Tochigi, 10 Gunma, 11 Saitama, 12 Chiba,
13 Tokyo/Tōkyō, 14 Kanagawa, 15 Niigata, 16 Toyama, 17 Ishikawa, 18 Fukui, 19 Yamanashi, 20 Nagano, 21 Gifu, 22 Shizuoka, 23 Aichi, 24 Mie,
25 Shiga, 26 Kyoto/Kyōto, 27 Osaka/Ōsaka, 28 Hyōgo/Hyogo, 29 Nara, 30 Wakayama, 31 Tottori, 32 Shimane, 33 Okayama, 34 Hiroshima, 35 Yamaguchi,
36 Tokushima, 37 Kagawa, 38 Ehime, 39 Kochi/Kōchi, 40 Fukuoka, 41 Saga, 42 Nagasaki, 43 Kumamoto, 44 Oita/Ōita, 45 Miyazaki, 46 Kagoshima, 47 Okinawa
ZA: EC Eastern Cape, FS Free State/Orange Free State, GP Gauteng, KZN KwaZulu-Natal, LP Limpopo, MP Mpumalanga, NC Northern Cape, NW North West/North-West, WC Western Cape`;

let names: ReadonlyMap<string, string> | null = null;

/** Made when a database asks for the first time: most have codes. */
function namesOf(): ReadonlyMap<string, string> {
  const out = new Map<string, string>();
  for (const block of TABLE.trim().split(/\n(?=[A-Z]{2}: )/)) {
    const country = block.slice(0, 2);
    for (const entry of block.slice(4).split(',')) {
      const [, code, all] = /^\s*([A-Z0-9]{1,3}) (.+)$/s.exec(entry) ?? [];
      for (const name of all?.split('/') ?? []) out.set(`${country} ${foldName(name)}`, `${country}-${code}`);
    }
  }
  return out;
}

/** The ISO 3166-2 code of a subdivision by its English or local name; null where the name is not known. */
export function subdivisionByName(country: string, name: string): string | null {
  names ??= namesOf();
  return names.get(`${country} ${foldName(name)}`) ?? null;
}
